"""CSV files as somebody hands them over: read whole, every fault told with its file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

LONGEST_CELL = 1 << 24
"""Code points of one cell; the limit of the standard library (131,072) is too small for a page of text."""


class TableError(ValueError):
    """A file that cannot be read as it should; the fault is its writer's. Names the file, and the line where it can."""


class Line(msgspec.Struct, frozen=True):
    """One row: the line on which it begins (from 1 on), and its cells by the name of their column."""

    number: int
    cells: dict[str, str]


def read_text(path: Path) -> str:
    """The content of a UTF-8 file, without its byte order mark. Raises `TableError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path}:{line}: this line is not UTF-8") from error


def read(path: Path, needed: Iterable[str]) -> list[Line]:
    """The rows of a CSV file whose first line names its columns, the ``needed`` ones among them.

    Empty lines are left out. Raises `TableError`: a file that cannot be read, has no rows, lacks a column, names one
    twice, or has a row that is not CSV or has more or fewer cells than there are columns.
    """
    rows = _rows(path, read_text(path))
    if not rows:
        raise TableError(f"{path}: the file is empty; its first line must name its columns")
    (_, names), *rest = rows
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"{path}:1: column {', '.join(doubled)} is there twice")
    if missing := sorted(set(needed) - set(names)):
        raise TableError(f"{path}: no column {', '.join(missing)}; the columns are {', '.join(names)}")
    if not rest:
        raise TableError(f"{path}: no rows below the names of the columns")
    for number, row in rest:
        if len(row) != len(names):
            raise TableError(f"{path}:{number}: {len(row)} cells, but there are {len(names)} columns")
    return [Line(number, dict(zip(names, row, strict=True))) for number, row in rest]


def _rows(path: Path, content: str) -> list[tuple[int, list[str]]]:
    found = []
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    number = 1
    usual = csv.field_size_limit(LONGEST_CELL)
    try:
        for row in reader:
            if row:
                found.append((number, row))
            number = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path}:{number}: {error}") from error
    finally:
        csv.field_size_limit(usual)
    return found
