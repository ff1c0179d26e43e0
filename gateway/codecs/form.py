"""Form bodies (application/x-www-form-urlencoded, WHATWG URL standard, section 5)."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote_plus

import msgspec

from gateway.codecs.codec import TOKEN_FIELD, Message, MessageError, RequestFields, build_message
from gateway.routes import Route

MAX_FIELDS = 1000


class FormCodec:
    """One message per form; a watched field given twice could be read in two ways and is refused."""

    content_types: ClassVar = frozenset({"application/x-www-form-urlencoded"})

    def __init__(self, route: Route) -> None:
        self._route = route
        self._match = {name: str(value) for name, value in route.match.items()}
        self._text = route.fields.text
        self._watched = {*self._match, *msgspec.structs.astuple(route.fields), TOKEN_FIELD}

    def decode(self, payload: str, request: RequestFields) -> Message | None:
        """See `Codec.decode`."""
        try:
            pairs = parse_qsl(payload, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError as error:  # UnicodeDecodeError is one
            raise MessageError("invalid-form", "the payload is not a valid form in UTF-8") from error
        values = dict(pairs)
        doubled = {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}
        is_message = all(values.get(name) == value for name, value in self._match.items())
        if not doubled.isdisjoint(self._watched if is_message else self._match):
            raise MessageError("ambiguous-form", "the form has a field twice")
        if not is_message:
            return None

        def lookup(name: str) -> Any:
            return values.get(name)

        return build_message(self._route, request, values.get(self._text), lookup)

    def with_text(self, payload: str, text: str) -> str:
        """See `Codec.with_text`."""
        return "&".join(
            f"{pair.partition('=')[0]}={quote_plus(text)}" if _name(pair) == self._text else pair
            for pair in payload.split("&")
        )

    def without_token(self, payload: str) -> str:
        """See `Codec.without_token`."""
        return "&".join(pair for pair in payload.split("&") if _name(pair) != TOKEN_FIELD)


def _name(pair: str) -> str:
    """The decoded field name of one ``name=value``."""
    return next((name for name, _ in parse_qsl(pair, keep_blank_values=True)), "")
