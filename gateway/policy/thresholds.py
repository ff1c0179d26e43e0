"""Thresholds of the content model as a file that operators write, and every reason why one cannot be taken.

The format is that of ``filters/model/thresholds.toml``, with two tables more. All numbers are logits::

    distress = -1.4             # from here on a text is a cry for help
    [usual]
    flag = 0.0                  # from here on: what a mild hit of the class leads to, by its ladder
    refuse = 2.0                # ... a serious hit
    [classes.hatred]            # any class of the standard, but distress
    flag = 0.0
    refuse = 2.5
    [kinds]                     # added to flag and refuse: chat, comment, barrage, dm, forward
    dm = -0.5
    [levels]                    # by level of risk: calm, watch, warning, emergency
    emergency = -0.7
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from protection.policy import PolicyError, Sensitivity

Key = tuple[str, ...]
Fault = tuple[Key, str]

_TABLE = re.compile(r"\s*\[([^\[\]]+)\]")
_ENTRY = re.compile(r"\s*([\w.\"'-]+)\s*=")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_thresholds(file: Path) -> Sensitivity:
    """Read a file; raises `PolicyError` with file, line and reason of each fault, a line each."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = bytes(error.object).count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{file}:{line}: this line is not UTF-8") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _AT_LINE.search(said)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        raise PolicyError(f"{file}:{line}: {_AT_LINE.sub('', said)}") from error
    faults = sorted({(_line_of(text, key), why) for key, why in _faults(raw, Sensitivity, ())})
    if faults:
        raise PolicyError("\n".join(f"{file}:{line}: {why}" for line, why in faults))
    return msgspec.convert(raw, Sensitivity)


def _faults(raw: Any, kind: Any, at: Key) -> Iterator[Fault]:
    """What is wrong with a value that is to become one of this type; the innermost faults only."""
    name = ".".join(at)
    within: list[Fault] = []
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        types = get_type_hints(kind)
        known = {field.name: field.required for field in msgspec.structs.fields(kind)}
        for key, value in raw.items():
            if key in known:
                within += _faults(value, types[key], (*at, key))
            else:
                nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
                within.append(((*at, key), f'unknown key "{key}"; the nearest known key is "{nearest}"'))
        within += [(at, f'"{".".join((*at, key))}" is missing') for key in known if known[key] and key not in raw]
    elif isinstance(raw, dict) and get_origin(kind) is dict:
        names, values = get_args(kind)
        for key, value in raw.items():
            if key in set(names):
                within += _faults(value, values, (*at, key))
            else:
                within.append(((*at, key), f'unknown key "{key}"; known: {", ".join(names)}'))
    if within:
        yield from within
        return
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        why = str(error).partition(" - at ")[0]
        yield at, f"{name}: {why}" if name else why


def _line_of(text: str, key: Key) -> int:
    """The line, from 1, at which a key is written, or else the table that it is missing in."""
    table: Key = ()
    best, line = 0, 1
    for number, content in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(content):
            table = written = _parts(header[1])
        elif entry := _ENTRY.match(content):
            written = (*table, *_parts(entry[1]))
        else:
            continue
        if len(written) > best and key[: len(written)] == written:
            best, line = len(written), number
    return line


def _parts(dotted: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
