"""Tests of the search for private data."""
