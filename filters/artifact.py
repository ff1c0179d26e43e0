"""Compiled text data as one file: what one process compiles, all others map.

A file is written once, never changed, and read where it lies: its arrays are views of a read-only map, so all processes
of a machine share one copy of it, and opening it costs one pass for its hash. Its layout::

    header    magic, version, size of the contents, size of the file, SHA-256 of all but itself    (64 bytes)
    contents  MessagePack: name, type, shape and place of each array, and the metadata
    arrays    each at a multiple of 64 bytes, little-endian

The hash is for accidents: a disk that failed, a copy that broke off. It does not say who wrote the file; who may write
to the data directory may do anything.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

VERSION = 2
"""Of this layout and of what the arrays mean: it grows when either changes."""

ALIGNMENT = 64
"""Bytes: a cache line."""

_MAGIC = b"shieldwire-text\n"
_FIELDS = struct.Struct("<16sIIQ")
_DIGEST = hashlib.sha256().digest_size
_HEADER = _FIELDS.size + _DIGEST
_TYPES = frozenset({"|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8"})

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")


class ArtifactError(ValueError):
    """A file that cannot be used: none of these, of another version, damaged. Names the file and the reason."""

    def __init__(self, file: Path, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}: {reason}")


class _Array(msgspec.Struct, frozen=True):
    """Where one array lies; ``place`` is a byte offset from the end of the contents."""

    name: str
    type: str
    shape: tuple[int, ...]
    place: int

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * np.dtype(self.type).itemsize


class _Contents(msgspec.Struct, frozen=True):
    """The second part of a file."""

    tables: str
    """`tables_digest` of the program that wrote the file."""
    arrays: tuple[_Array, ...]
    metadata: msgspec.Raw


class Artifact:
    """An opened file; its map lives as long as one of its arrays.

    ``digest``: the SHA-256 in its header, as hex digits.
    """

    def __init__(self, file: Path, arrays: Arrays, metadata: msgspec.Raw, digest: str) -> None:
        self.file = file
        self.digest = digest
        self._arrays = arrays
        self._metadata = metadata

    @classmethod
    def open(cls, file: Path) -> Self:
        """Map a file and check all of it. Raises `ArtifactError`, also where there is no such file."""
        try:
            with file.open("rb") as opened:
                data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise ArtifactError(file, getattr(error, "strerror", None) or "the file is empty") from error
        try:
            contents, first, digest = _checked(data)
            return cls(file, _arrays(data, contents, first), contents.metadata, digest)
        except (ValueError, msgspec.MsgspecError) as error:
            raise ArtifactError(file, str(error)) from error

    def array(self, name: str) -> NDArray[Any]:
        """An array, read-only, as it was written. Raises `ArtifactError` where there is none of this name."""
        if name not in self._arrays:
            raise ArtifactError(self.file, f"it holds no {name!r}")
        return self._arrays[name]

    def metadata(self, kind: type[T]) -> T:
        """The metadata, which must be of this type. Raises `ArtifactError`."""
        try:
            return msgspec.msgpack.decode(self._metadata, type=kind)
        except msgspec.MsgspecError as error:
            raise ArtifactError(self.file, f"its metadata is not that of this version: {error}") from error


def write(file: Path, arrays: Arrays, metadata: object) -> str:
    """Write a file, all of it or nothing (but not yet through to the disk); answers its digest.

    ``metadata`` is whatever msgspec can encode. An existing file is replaced; who has it open keeps the old one.
    """
    stored = {name: _little_endian(array) for name, array in arrays.items()}
    contents = _described(stored, metadata)
    digest = hashlib.sha256()
    parts = [np.frombuffer(contents, dtype=np.uint8), *(array.reshape(-1).view(np.uint8) for array in stored.values())]
    size = _HEADER + sum(part.size + _padding(part.size) for part in parts)
    fields = _FIELDS.pack(_MAGIC, VERSION, len(contents), size)
    digest.update(fields)
    unfinished = file.with_name(f".{file.name}.unfinished")
    with unfinished.open("wb") as opened:
        opened.write(fields + bytes(_DIGEST))
        for part in parts:
            for piece in (part.data, bytes(_padding(part.size))):
                digest.update(piece)
                opened.write(piece)
        opened.seek(_FIELDS.size)
        opened.write(digest.digest())
    unfinished.replace(file)
    return digest.hexdigest()


@cache
def tables_digest() -> str:
    """A hash of the generated tables in the package: automata built with others would read texts otherwise."""
    tables = sorted(resources.files("filters.tables").iterdir(), key=lambda file: file.name)
    digest = hashlib.sha256()
    for table in tables:
        if table.name.endswith(".bin"):
            digest.update(table.read_bytes())
    return digest.hexdigest()


class Records(Sequence[T], Generic[T]):
    """A sequence of msgspec values kept in two arrays and decoded one at a time: nothing is read that is not asked for.

    So a list of 200,000 terms costs a process nothing until one of them is found, and nothing to swap.
    """

    def __init__(self, kind: Any, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        """``data``: the values' MessagePack, one behind the other; ``ends``: the byte offset where each ends."""
        self._decode: Callable[[memoryview], T] = msgspec.msgpack.Decoder(kind).decode
        self._data = data.data
        self._ends = ends

    @classmethod
    def of(cls, kind: Any, values: Iterable[T]) -> Self:
        """The records of these values."""
        encoded = [msgspec.msgpack.encode(value) for value in values]
        ends = np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))
        return cls(kind, np.frombuffer(b"".join(encoded), dtype=np.uint8), ends)

    def arrays(self, name: str) -> Arrays:
        """What of them goes into a file, under names that begin with ``name``."""
        return {f"{name}.data": np.asarray(self._data), f"{name}.ends": self._ends}

    @classmethod
    def read(cls, kind: Any, name: str, artifact: Artifact) -> Self:
        """The records that were written under this name. Raises `ArtifactError`."""
        return cls(kind, artifact.array(f"{name}.data"), artifact.array(f"{name}.ends"))

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        begin = int(self._ends[index - 1]) if index else 0
        return self._decode(self._data[begin : int(self._ends[index])])

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[T]:
        return (self[index] for index in range(len(self)))


def _described(arrays: Arrays, metadata: object) -> bytes:
    described, place = [], 0
    for name, array in arrays.items():
        described.append(_Array(name, array.dtype.str, array.shape, place))
        place += array.nbytes + _padding(array.nbytes)
    raw = msgspec.Raw(msgspec.msgpack.encode(metadata))
    return msgspec.msgpack.encode(_Contents(tables_digest(), tuple(described), raw))


def _checked(data: mmap.mmap) -> tuple[_Contents, int, str]:
    """The contents, where they end, and the digest; raises `ValueError` with the reason why there are none."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("this is no file of compiled text data")
    if len(data) < _HEADER:
        raise ValueError("the file is cut short within its header")
    _, version, contents_size, size = _FIELDS.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"the file is of version {version}, this program reads version {VERSION}: compile it again")
    if len(data) != size:
        raise ValueError(f"the file has {len(data)} bytes and should have {size}")
    view = memoryview(data)
    digest = hashlib.sha256(view[: _FIELDS.size])
    digest.update(view[_HEADER:])
    if digest.digest() != view[_FIELDS.size : _HEADER]:
        raise ValueError("the file is damaged: its hash differs from the one it was written with")
    contents = msgspec.msgpack.decode(view[_HEADER : _HEADER + contents_size], type=_Contents)
    if contents.tables != tables_digest():
        raise ValueError("the file was compiled with other tables than this program's: compile it again")
    return contents, _HEADER + contents_size + _padding(contents_size), digest.hexdigest()


def _arrays(data: mmap.mmap, contents: _Contents, first: int) -> Arrays:
    arrays = {}
    for array in contents.arrays:
        if array.type not in _TYPES or array.place % ALIGNMENT or min(array.place, *array.shape, 0) < 0:
            raise ValueError(f"array {array.name!r} is not described as this program writes it")
        if first + array.place + array.size > len(data):
            raise ValueError(f"array {array.name!r} reaches past the end of the file")
        arrays[array.name] = np.ndarray(array.shape, array.type, data, first + array.place)
    return arrays


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    """The array as it lies in a file: C order, little-endian."""
    stored = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    if stored.dtype.str not in _TYPES:
        raise TypeError(f"arrays of type {array.dtype} have no place in a file")
    return stored


def _padding(size: int) -> int:
    return -size % ALIGNMENT
