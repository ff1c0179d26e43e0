"""Tests of the classification standard."""
