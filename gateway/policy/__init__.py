"""Word lists that change while the gateway runs: checked, compiled to one file, announced, followed by every worker."""
