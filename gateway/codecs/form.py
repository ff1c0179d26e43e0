"""Form bodies (application/x-www-form-urlencoded, WHATWG URL standard, section 5)."""

from __future__ import annotations

import re
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
        self.route = route
        self._match = {name: str(value) for name, value in route.match.items()}
        self._text = route.fields.text
        self._watched = {*self._match, *msgspec.structs.astuple(route.fields), TOKEN_FIELD} - {""}

    def decode(self, payload: str, request: RequestFields) -> Message | None:
        """See `Codec.decode`."""
        try:
            pairs = parse_qsl(payload, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError as error:  # UnicodeDecodeError is one
            raise MessageError("invalid-form", "the payload is not a valid form in UTF-8") from error
        values = dict(pairs)
        is_message = all(values.get(name) == value for name, value in self._match.items())
        watched = self._watched if is_message else set(self._match)
        if any(_doubtful(name, pairs) for name in watched):
            raise MessageError("ambiguous-form", "the form has a field twice, or in another spelling")
        if not is_message:
            return None

        def lookup(name: str) -> Any:
            return values.get(name)

        return build_message(self.route, request, values.get(self._text), lookup)

    def with_text(self, payload: str, text: str) -> str:
        """See `Codec.with_text`."""
        return "&".join(
            f"{pair.partition('=')[0]}={quote_plus(text)}" if _name(pair) == self._text else pair
            for pair in payload.split("&")
        )

    def without_token(self, payload: str) -> str:
        """See `Codec.without_token`."""
        return "&".join(pair for pair in payload.split("&") if _name(pair) != TOKEN_FIELD)


def _doubtful(watched: str, pairs: list[tuple[str, str]]) -> bool:
    """Whether a field is given twice, or under a name that some platform reads as this one."""
    alike = [name for name, _ in pairs if _folded(name) == _folded(watched)]
    return len(alike) > 1 or (bool(alike) and alike[0] != watched)


def _folded(name: str) -> str:
    """A field name as forgiving platforms see it.

    PHP trims it, cuts it at ``[`` and NUL and turns dots and spaces into ``_``; ASP.NET does not care about case.
    """
    cut = re.split(r"[\[\x00]", name.lstrip(), maxsplit=1)[0]
    return re.sub(r"[. ]", "_", cut).casefold()


def _name(pair: str) -> str:
    """The decoded field name of one ``name=value``."""
    return next((name for name, _ in parse_qsl(pair, keep_blank_values=True)), "")
