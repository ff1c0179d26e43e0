"""The gateway: the only package (besides bench) that does I/O."""
