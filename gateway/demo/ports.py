"""Ports to listen on, for processes that are told their port before they open it."""

from __future__ import annotations

import secrets
import socket

_BELOW_EPHEMERAL = range(20_000, 32_000)
"""The system gives outgoing connections ports from 32768 up: one from there could be gone before somebody listens."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port of ``host`` that nobody listens on."""
    while True:
        port = secrets.choice(_BELOW_EPHEMERAL)
        try:
            socket.create_server((host, port)).close()
        except OSError:
            continue
        return port
