"""Weights: all that training makes, and its file."""

from __future__ import annotations

import zlib
from functools import cache
from importlib import resources
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from filters.classes import Harm

HEADS = ("group", "abuse", "english", "contrast", "distress", "danger", "insult", "criticism")
"""What is added up for each gram: group hatred, any abuse of chat, English abuse, hatred told apart from its like,
distress, threats and calls to self-harm and private data, insults, criticism of things (which is no abuse)."""
CLASSES = tuple(harm for harm in Harm if harm is not Harm.DISTRESS)
"""The columns of the table that tells the classes of abuse apart."""
CLASS_BITS = 16
OUTPUTS = ("group", "direct", "chat", "english", "distress")
"""Experts of the combination. Of Chinese: hatred of groups of people, abuse to somebody's face (insult, threat), abuse
of any class; any abuse in English; distress."""

_MAGIC = b"shieldwire-model 2\n"


class Table(msgspec.Struct, frozen=True):
    """A linear model for each column: bias + scale * sum of the buckets' weights / sqrt(number of buckets)."""

    weights: NDArray[np.int8]
    """[buckets, columns]"""
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def quantised(cls, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> Self:
        """The nearest table with weights of eight bits; the largest 0.02 % of each column are cut."""
        most = np.array([np.quantile(np.abs(w[w != 0]), 0.9998) if w.any() else 1.0 for w in weights.T])
        whole = np.clip(np.rint(weights / most * 127), -127, 127).astype(np.int8)
        return cls(np.ascontiguousarray(whole), (most / 127).astype(np.float32), bias.astype(np.float32))

    def scores(self, buckets: NDArray[np.int32]) -> NDArray[np.float64]:
        """The scores of a text: the definition of what the kernel adds up."""
        if not len(buckets):
            return self.bias.astype(np.float64)
        total = self.weights[buckets].sum(axis=0, dtype=np.int64)
        found: NDArray[np.float64] = self.bias + self.scale * total / np.sqrt(len(buckets))
        return found


class Combination(msgspec.Struct, frozen=True):
    """`filters.model.inputs` to OUTPUTS: the first is a network with one hidden layer, all others are linear."""

    first: NDArray[np.float32]
    """[inputs, units and the other outputs]"""
    first_bias: NDArray[np.float32]
    last: NDArray[np.float32]
    """[units]: of the network"""
    last_bias: NDArray[np.float32]
    """[1]"""

    def logits(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of rows of inputs."""
        sums = inputs @ self.first.astype(np.float64) + self.first_bias
        units = len(self.last)
        network = np.maximum(sums[:, :units], 0.0) @ self.last.astype(np.float64) + self.last_bias[0]
        return np.column_stack([network, sums[:, units:]])


class Weights(msgspec.Struct, frozen=True):
    """The whole model."""

    letters: Table
    sounds: Table
    classes: Table
    """Columns are CLASSES; its buckets are those of both views, the upper bits of each."""
    combination: Combination

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Those in the package, made by `shieldwire train`."""
        return cls.from_bytes((resources.files("filters.model") / "weights.bin").read_bytes())

    def to_bytes(self) -> bytes:
        """The file: a header line, then compressed MessagePack. The same weights make the same bytes."""
        return _MAGIC + zlib.compress(msgspec.msgpack.encode(self, enc_hook=_pack), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote; ``ValueError`` where it is something else."""
        if not data.startswith(_MAGIC):
            raise ValueError("not a model of version 2")
        return msgspec.msgpack.decode(zlib.decompress(data[len(_MAGIC) :]), type=cls, dec_hook=_unpack)


def _pack(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    raise NotImplementedError


def _unpack(kind: type, packed: tuple[str, tuple[int, ...], bytes]) -> object:
    dtype, shape, content = packed
    return np.frombuffer(content, dtype=dtype).reshape(shape)
