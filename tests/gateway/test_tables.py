"""CSV files as somebody hands them over, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import tables
from gateway.tables import Line, TableError

pytestmark = pytest.mark.req("W2")


def written(folder: Path, content: bytes) -> Path:
    file = folder / "texts.csv"
    file.write_bytes(content)
    return file


def test_a_row_knows_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, '\ufeffid,text\r\n1,"two\r\nlines"\r\n\r\n2, 字 \r\n'.encode())
    assert tables.read(file, ["text"]) == [
        Line(2, {"id": "1", "text": "two\r\nlines"}),
        Line(5, {"id": "2", "text": " 字 "}),
    ]


def test_a_cell_may_be_a_page_and_more(tmp_path: Path) -> None:
    (line,) = tables.read(written(tmp_path, b"text\n" + b"x" * 1_000_000), ["text"])
    assert len(line.cells["text"]) == 1_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "texts.csv: the file is empty; its first line must name its columns"),
        (b"text,label\n", "texts.csv: no rows below the names of the columns"),
        (b"words,judged\na,b\n", "texts.csv: no column label, text; the columns are words, judged"),
        (b"text,text,label\na,b,c\n", "texts.csv:1: column text is there twice"),
        (b"text,label\na,1\nb\n", "texts.csv:3: 1 cells, but there are 2 columns"),
        (b"text,label\na,1\nb,c,0\n", "texts.csv:3: 3 cells, but there are 2 columns"),
        (b'text,label\na,1\n"b,1\nc,1\n', "texts.csv:3: unexpected end of data"),
        ("text,label\nfine,0\ncafé,0\n".encode("latin-1"), "texts.csv:3: this line is not UTF-8"),
        ("text,label\nfine,0\n".encode("utf-16"), "texts.csv:1: this line is not UTF-8"),
        (b"text,label\n" + b"x" * (tables.LONGEST_CELL + 1) + b",1", "texts.csv:2: field larger than field limit"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(TableError) as fault:
        tables.read(written(tmp_path, content), ["text", "label"])
    assert str(fault.value).startswith(f"{tmp_path}/{said}")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Is a directory"):
        tables.read(tmp_path, ["text"])
    with pytest.raises(TableError, match="No such file"):
        tables.read(tmp_path / "missing.csv", ["text"])
