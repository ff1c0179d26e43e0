"""Tests of ``filters``."""
