"""The portable lane: WebSocket and HTTP through any ASGI server, one module each."""
