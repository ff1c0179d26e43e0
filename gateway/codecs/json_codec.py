"""JSON payloads, judged only where every parser must read them in the same way.

RFC 8259, section 4 leaves objects with duplicate names to the receiver: the gateway could judge one value and the
platform deliver the other. Such payloads are refused, as are keys that differ from a watched one only by case
(Go's encoding/json, for one, takes them for the same).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from gateway.codecs.codec import TOKEN_FIELD, Message, MessageError, RequestFields, build_message, is_request_field
from gateway.routes import Route

# Consumes every string whole, so that it never starts inside one; the group tells keys from values.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"([ \t\r\n]*:)?')


class JsonCodec:
    """One JSON object per message."""

    content_types: ClassVar = frozenset({"application/json", "text/json"})

    def __init__(self, route: Route) -> None:
        self.route = route
        self._text = route.fields.text.split(".")
        self._match = [(path.split("."), value) for path, value in _flat(route.match, "")]
        self._watched = [
            where.split(".") for where in msgspec.structs.astuple(route.fields) if where and not is_request_field(where)
        ]

    def decode(self, payload: str, request: RequestFields) -> Message | None:
        """See `Codec.decode`."""
        try:
            tree = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise MessageError("invalid-json", "the payload is not valid JSON") from error
        doubled = _count_keys(tree) != sum(1 for key in _STRING.finditer(payload) if key[1])
        if not self.is_message(tree):
            self._refuse_doubtful_match(tree, payload if doubled else "")
            return None
        if doubled:
            raise MessageError("ambiguous-json", "the payload has a key twice in one object")
        for path in self._watched:
            _refuse_other_case(tree, path)
        if not isinstance(tree, dict):
            raise MessageError("wrong-type", "a message must be a JSON object")
        return build_message(self.route, request, _find(tree, self._text), lambda path: _find(tree, path.split(".")))

    def is_message(self, tree: Any) -> bool:
        """Whether a decoded payload is one that the route calls a message."""
        return all(_same(_find(tree, path), value) for path, value in self._match)

    def with_text(self, payload: str, text: str) -> str:
        """See `Codec.with_text`."""
        return _edited(payload.encode(), self._text, msgspec.Raw(msgspec.json.encode(text))).decode()

    def without_token(self, payload: str) -> str:
        """See `Codec.without_token`."""
        return _edited(payload.encode(), [TOKEN_FIELD], None).decode()

    def _refuse_doubtful_match(self, tree: Any, doubled_payload: str) -> None:
        """A payload that is no message to us must not be one to another parser."""
        for path, _ in self._match:
            _refuse_other_case(tree, path)
        if doubled_payload and not _doubled_names(doubled_payload).isdisjoint(
            key for path, _ in self._match for key in path
        ):
            raise MessageError("ambiguous-json", "the payload has a key twice in one object")


def _flat(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The leaves of ``[route.match]`` as dotted paths: TOML reads ``a.b = 1`` as a nested table."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _find(tree: Any, path: list[str]) -> Any:
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def _same(found: Any, wanted: Any) -> bool:
    """Equality as JSON has it: 5 and 5.0 are one number, true is not 1."""
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _count_keys(tree: Any) -> int:
    """How many keys the decoded tree has: fewer than were written means that one was written twice."""
    count, pending = 0, [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            count += len(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return count


def _doubled_names(payload: str) -> set[str]:
    """Every name written more than once anywhere in the payload: a wider net than duplicates, used only to refuse."""
    seen: set[str] = set()
    doubled: set[str] = set()
    for found in _STRING.finditer(payload):
        if found[1]:
            name: str = msgspec.json.decode(found[0][: -len(found[1])])
            (doubled if name in seen else seen).add(name)
    return doubled


def _refuse_other_case(tree: Any, path: list[str]) -> None:
    for key in path:
        if not isinstance(tree, dict):
            return
        folded = key.casefold()
        if any(other != key and other.casefold() == folded for other in tree):
            raise MessageError("ambiguous-json", f"the payload spells {key!r} in another case")
        tree = tree.get(key)


def _edited(payload: bytes, path: list[str], value: msgspec.Raw | None) -> bytes:
    """The payload with one value replaced (None: removed); all values beside the path keep their bytes."""
    layer = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    key = path[0]
    if len(path) > 1:
        layer[key] = msgspec.Raw(_edited(bytes(layer[key]), path[1:], value))
    elif value is None:
        layer.pop(key, None)
    else:
        layer[key] = value
    return msgspec.json.encode(layer)
