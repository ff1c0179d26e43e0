"""Shared state: an embedded or external store, asked at most once per message, and a local replica of what is hot."""
