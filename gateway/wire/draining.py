"""uvicorn's protocols, but a graceful shutdown begins with our drain.

uvicorn by itself cuts every socket at once with 1012, whatever is in flight on it. Here it tells the application
instead, which answers the message in flight, then closes the socket with 1012 itself; uvicorn waits for that.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class DrainingWebSocket(WebSocketsSansIOProtocol):
    """One client's socket."""

    def shutdown(self) -> None:
        """Let the application end an open socket; one still in its handshake is uvicorn's to refuse."""
        begin_drain(self.app)
        if self.close_sent or not self.handshake_complete:
            super().shutdown()
        else:
            self.stop_keepalive()


class DrainingHttp(HttpToolsProtocol):
    """One client's HTTP connection."""

    def shutdown(self) -> None:
        """Tell the application, so that answers which never end by themselves end now."""
        begin_drain(self.app)
        super().shutdown()


def begin_drain(app: Any) -> None:
    """Tell the application that the server wants to end."""
    app.state.gateway.begin_drain()
