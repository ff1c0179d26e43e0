"""Benchmarks on one's own deployment. None is built yet."""
