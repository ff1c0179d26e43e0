"""The generated tables."""
