"""Compiled files: what is written is read, and nothing else ever is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from filters import artifact
from filters.artifact import Arrays, Artifact, ArtifactError, Records, write
from filters.samples import load
from filters.scanner import Scanner

SHARED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TYPES = [np.dtype(name) for name in ("u1", "i1", "<u2", "<i4", ">i4", "<i8", "<f4", "<f8")]
ARRAYS: st.SearchStrategy[Arrays] = st.dictionaries(
    st.text(max_size=12),
    arrays_of.arrays(st.sampled_from(TYPES), arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)),
    max_size=6,
)
METADATA = st.dictionaries(st.text(max_size=5), st.integers(-1000, 1000) | st.text(max_size=9), max_size=5)


@given(ARRAYS, METADATA)
@SHARED
def test_what_is_written_is_read(tmp_path: Path, arrays: Arrays, metadata: dict[str, int | str]) -> None:
    file = tmp_path / "x.text"
    digest = write(file, arrays, metadata)
    opened = Artifact.open(file)
    assert opened.digest == digest
    assert opened.metadata(dict[str, int | str]) == metadata
    for name, array in arrays.items():
        read = opened.array(name)
        assert read.shape == array.shape
        assert np.array_equal(read, array, equal_nan=read.dtype.kind == "f")
        assert not read.flags.writeable
        assert read.ctypes.data % artifact.ALIGNMENT == 0 or read.size == 0
    assert list(tmp_path.iterdir()) == [file]


def test_the_same_contents_make_the_same_file(tmp_path: Path) -> None:
    arrays = {"a": np.arange(5)}
    assert write(tmp_path / "1", arrays, None) == write(tmp_path / "2", arrays, None)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("sound") / "x.text"
    write(file, {"words": np.arange(100, dtype=np.int32), "more": np.zeros((3, 5), np.float32)}, {"terms": 3})
    return file.read_bytes()


@given(data=st.data())
@SHARED
def test_a_file_cut_short_or_continued_is_refused(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    cut = (
        data.draw(st.binary(min_size=1, max_size=70).map(lambda tail: sound + tail))
        if data.draw(st.booleans())
        else (sound[: data.draw(st.integers(0, len(sound) - 1))])
    )
    (tmp_path / "x.text").write_bytes(cut)
    with pytest.raises(ArtifactError):
        Artifact.open(tmp_path / "x.text")


@given(place=st.integers(0), bits=st.integers(1, 255))
@SHARED
def test_any_changed_byte_is_noticed(tmp_path: Path, sound: bytes, place: int, bits: int) -> None:
    changed = bytearray(sound)
    changed[place % len(sound)] ^= bits
    (tmp_path / "x.text").write_bytes(changed)
    with pytest.raises(ArtifactError):
        Artifact.open(tmp_path / "x.text")


@given(contents=st.binary(max_size=200) | st.just(b""))
@SHARED
def test_contents_that_are_not_ours_are_refused_even_with_a_right_hash(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "x.text").write_bytes(forged(contents))
    with pytest.raises(ArtifactError):
        Artifact.open(tmp_path / "x.text")


ARRAY = {"name": "a", "type": "<i4", "shape": [4], "place": 0}


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"place": 1 << 40}, "array 'a' reaches past the end of the file"),
        ({"shape": [1 << 60]}, "array 'a' reaches past the end of the file"),
        ({"shape": [1 << 62, 1 << 62]}, "array 'a' reaches past the end of the file"),
        ({"shape": [-1]}, "array 'a' is not described as this program writes it"),
        ({"place": 4}, "array 'a' is not described as this program writes it"),
        ({"place": -64}, "array 'a' is not described as this program writes it"),
        ({"type": "|O"}, "array 'a' is not described as this program writes it"),
        ({"type": ">i4"}, "array 'a' is not described as this program writes it"),
    ],
)
def test_no_array_is_read_from_outside_the_file(tmp_path: Path, described: dict[str, object], reason: str) -> None:
    contents = {"tables": artifact.tables_digest(), "arrays": [{**ARRAY, **described}], "metadata": None}
    file = tmp_path / "x.text"
    file.write_bytes(forged(msgspec.msgpack.encode(contents)))
    with pytest.raises(ArtifactError) as refusal:
        Artifact.open(file)
    assert str(refusal.value) == f"{file}: {reason}"


def test_every_refusal_says_why(tmp_path: Path, sound: bytes) -> None:
    other_tables = msgspec.msgpack.encode({"tables": "0" * 64, "arrays": [], "metadata": None})
    reasons = {
        b"": "the file is empty",
        b"shieldwire-lexicon 1\n": "this is no file of compiled text data",
        sound[:40]: "the file is cut short within its header",
        sound[:-1]: f"the file has {len(sound) - 1} bytes and should have {len(sound)}",
        sound[:-1] + b"x": "the file is damaged: its hash differs from the one it was written with",
        sound[:16] + b"\7" + sound[17:]: "the file is of version 7, this program reads version 2: compile it again",
        forged(other_tables): "the file was compiled with other tables than this program's: compile it again",
    }
    file = tmp_path / "x.text"
    for content, reason in reasons.items():
        file.write_bytes(content)
        with pytest.raises(ArtifactError) as refusal:
            Artifact.open(file)
        assert str(refusal.value) == f"{file}: {reason}"
    with pytest.raises(ArtifactError, match="No such file or directory"):
        Artifact.open(tmp_path / "missing")


def test_what_a_file_does_not_hold_is_said(tmp_path: Path) -> None:
    write(tmp_path / "x.text", {}, {"terms": "many"})
    opened = Artifact.open(tmp_path / "x.text")
    with pytest.raises(ArtifactError, match="it holds no 'words'"):
        opened.array("words")
    with pytest.raises(ArtifactError, match="its metadata is not that of this version"):
        opened.metadata(dict[str, int])


def test_an_open_file_stays_as_it_was_when_another_takes_its_name(tmp_path: Path) -> None:
    file = tmp_path / "x.text"
    write(file, {"a": np.full(10, 1)}, None)
    old = Artifact.open(file).array("a")
    write(file, {"a": np.full(10, 2)}, None)
    assert old.tolist() == [1] * 10
    assert Artifact.open(file).array("a").tolist() == [2] * 10
    file.unlink()
    assert old.sum() == 10


def test_arrays_of_objects_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="have no place in a file"):
        write(tmp_path / "x.text", {"a": np.array([None])}, None)
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text(max_size=10) | st.none()))
def test_records_are_a_sequence_of_what_was_put_in(values: list[str | None]) -> None:
    records: Records[str | None] = Records.of(str | None, values)
    assert list(records) == values
    assert records[:] == values
    assert [records[-1 - place] for place in range(len(values))] == values[::-1]
    with pytest.raises(IndexError):
        records[len(values)]


def test_a_scanner_from_a_file_scans_as_the_one_that_was_compiled(tmp_path: Path) -> None:
    compiled = Scanner.shipped()
    write(tmp_path / "x.text", compiled.to_artifact(), None)
    mapped = Scanner.from_artifact(Artifact.open(tmp_path / "x.text"))
    mapped.warm_up()
    for sample in load():
        assert mapped.scan(sample.text) == compiled.scan(sample.text)


def forged(contents: bytes) -> bytes:
    """A file with these contents, no arrays, and a hash that is right."""
    padded = contents + bytes(-len(contents) % artifact.ALIGNMENT)
    fields = artifact._FIELDS.pack(artifact._MAGIC, artifact.VERSION, len(contents), artifact._HEADER + len(padded))
    return fields + hashlib.sha256(fields + padded).digest() + padded
