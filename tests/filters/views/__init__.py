"""Tests of ``filters.views``."""
