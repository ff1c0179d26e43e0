"""Tests of `shieldwire eval`."""
