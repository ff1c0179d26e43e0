"""Plain text: the payload is the message."""

from __future__ import annotations

from typing import Any, ClassVar

from gateway.codecs.codec import Message, RequestFields, build_message
from gateway.routes import Route


class TextCodec:
    """Every payload is one message; sender, room and target come from the connection.

    A text has no place for the token of a nudge; over HTTP the header ``Shieldwire-Token`` carries it.
    """

    content_types: ClassVar = frozenset({"text/plain"})

    def __init__(self, route: Route) -> None:
        self.route = route

    def decode(self, payload: str, request: RequestFields) -> Message | None:
        """See `Codec.decode`."""

        def lookup(_: str) -> Any:
            return None

        return build_message(self.route, request, payload, lookup)

    def with_text(self, payload: str, text: str) -> str:
        """See `Codec.with_text`."""
        return text

    def without_token(self, payload: str) -> str:
        """See `Codec.without_token`."""
        return payload
