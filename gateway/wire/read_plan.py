"""What the read kernel looks for in a route's messages, as one flat array of int64 words.

A plan is the trie of all dotted paths that `gateway.codecs.JsonCodec` reads from a payload::

    header  LIMIT (bytes of the longest payload), WANTED (how many values must match), NEEDED (how many accounts must be
            named)
    slots   SLOTS words: the first node whose name hashes to this slot (its offset), or 0
    nodes   nine words each: HASH and place of its name, PARENT (ROOT: the payload itself), KIND, the place of the value
            to match, the COLUMN to fill, and the NEXT node of the slot
    bytes   the names and the values to match, one byte a word

Only what the kernel judges exactly as the codec does gets a plan; for every other route `plan_of` returns None, and its
frames go through the codec.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.codecs.codec import TOKEN_FIELD, is_request_field
from gateway.routes import ROOM_OWNER, Route
from protection.events import Kind

LIMIT, WANTED, NEEDED, FIRST_SLOT = 0, 1, 2, 3
SLOTS = 64
HASH, NAME, NAME_END, PARENT, KIND, VALUE, VALUE_END, COLUMN, NEXT, NODE = range(10)
ROOT = -1

INNER, SEEN, TEXT, ID, ACCOUNT, NAMED, MENTIONS, TOKEN, STRING, INTEGER, BOOLEAN = range(11)
"""Kinds: on the way to another node; a field whose value does not count; a field of the message, where NAMED is an
account that must be there; a value that makes the payload a message."""

ACCOUNTS = ("sender", "target", "room")
"""The fields whose values the kernel reports, in the order of its columns."""

_INTEGER_DIGITS = 15
"""An integer of so many digits is the same number to every parser, also to those that only know floats."""
_FIELD_KINDS = {"text": TEXT, "id": ID, "mentions": MENTIONS, "kind": SEEN, **dict.fromkeys(ACCOUNTS, ACCOUNT)}


class _Node(msgspec.Struct):
    """One key on a path."""

    name: bytes
    parent: int
    kind: int
    value: bytes = b""
    column: int = -1


def plan_of(route: Route, max_message: int, payload_sender_counts: bool = False) -> NDArray[np.int64] | None:
    """The plan of a route, or None where only the codec can judge it.

    ``max_message`` is in bytes. ``payload_sender_counts`` says that the connection proves no identity, so that each
    message must name its sender; without it the connection must have one. Whether what the fields take from the request
    is as the codec wants it is the same for all messages of a connection, and not asked here.
    """
    if route.codec != "json" or route.kind in (None, Kind.DM):
        return None
    needed = {"sender"} if payload_sender_counts else set[str]()
    if route.fields.target == ROOM_OWNER:
        needed.add("room")
    if not all(getattr(route.fields, field) for field in needed):
        return None
    leaves = dict[tuple[str, ...], _Node]()
    for path, leaf in _leaves(route, needed, payload_sender_counts):
        if path in leaves or leaf is None:
            return None
        leaves[path] = leaf
    nodes = _trie(leaves)
    if nodes is None or not all(node.name.isascii() and node.name for node in nodes):
        return None
    return _words(nodes, max_message)


def hash_of(name: bytes) -> int:
    """The hash of a key, the same for upper and lower case; the kernel computes it as it reads."""
    value = 0
    for byte in name:
        value = (value * 31 + (byte | 0x20)) & HASH_MASK
    return value


HASH_MASK = (1 << 48) - 1


def _leaves(
    route: Route, needed: set[str], payload_sender_counts: bool
) -> Iterator[tuple[tuple[str, ...], _Node | None]]:
    """Every path that the codec reads, with what stands there; None for a value that the kernel cannot compare."""
    for field, where in msgspec.structs.asdict(route.fields).items():
        if not where or where == ROOM_OWNER or is_request_field(where):
            continue
        kind = NAMED if field in needed else _FIELD_KINDS[field]
        if field == "sender" and not payload_sender_counts:
            kind = SEEN
        column = ACCOUNTS.index(field) if field in ACCOUNTS else -1
        yield tuple(where.split(".")), _Node(b"", ROOT, kind, column=column)
    yield (TOKEN_FIELD,), _Node(b"", ROOT, TOKEN)
    yield from _match_leaves(route.match, ())


def _match_leaves(tree: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], _Node | None]]:
    for key, value in tree.items():
        where = (*path, *key.split("."))
        match value:
            case dict():
                yield from _match_leaves(value, where)
            case bool():
                yield where, _Node(b"", ROOT, BOOLEAN, b"true" if value else b"false")
            case int() if abs(value) < 10**_INTEGER_DIGITS:
                yield where, _Node(b"", ROOT, INTEGER, str(value).encode())
            case str():
                yield where, _Node(b"", ROOT, STRING, value.encode())
            case _:
                yield where, None


def _trie(leaves: dict[tuple[str, ...], _Node]) -> list[_Node] | None:
    """The leaves with the nodes on the way to them; None where one path leads through the end of another."""
    number_of: dict[tuple[str, ...], int] = {}
    nodes: list[_Node] = []
    for path, leaf in leaves.items():
        for depth in range(1, len(path) + 1):
            here = path[:depth]
            if here in number_of:
                continue
            if (here in leaves) != (depth == len(path)):
                return None
            node = leaf if depth == len(path) else _Node(b"", ROOT, INNER)
            node.name, node.parent = path[depth - 1].encode(), number_of.get(path[: depth - 1], ROOT)
            number_of[here] = len(nodes)
            nodes.append(node)
    return nodes


def _words(nodes: list[_Node], max_message: int) -> NDArray[np.int64]:
    first = FIRST_SLOT + SLOTS
    offsets = [first + NODE * number for number in range(len(nodes))]
    slots = [0] * SLOTS
    rows: list[int] = []
    text = bytearray()
    for node, offset in zip(nodes, offsets, strict=True):
        name = first + NODE * len(nodes) + len(text)
        value = name + len(node.name)
        text += node.name + node.value
        slot = hash_of(node.name) % SLOTS
        parent = offsets[node.parent] if node.parent != ROOT else ROOT
        rows += [hash_of(node.name), name, value, parent, node.kind, value, value + len(node.value), node.column]
        rows.append(slots[slot])
        slots[slot] = offset
    wanted = sum(node.kind in (STRING, INTEGER, BOOLEAN) for node in nodes)
    needed = sum(node.kind == NAMED for node in nodes)
    return np.array([max_message, wanted, needed, *slots, *rows, *text], dtype=np.int64)
