"""Tests that drive the demo in a real browser."""
