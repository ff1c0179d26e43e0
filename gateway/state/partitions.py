"""Where things are kept: the partition of an id, and the names of keys.

A person (or room) belongs to one of P partitions, and all its keys carry the partition's hash tag ``{pNN}``, so that
one script touches one slot of a Cluster. Ids come from outside and may hold any character: an id stands only at the
end of a key, after the tag, and of a pair the first is preceded by its length, so no id can name another's key.
"""

from __future__ import annotations

import zlib

PREFIX = b"sw:"
"""Before every key, so that a store can be shared with other software."""

PARTITIONS_KEY = PREFIX + b"partitions"
WORKERS_KEY = PREFIX + b"{workers}"
BELL = PREFIX + b"changes"
"""The channel on which the script of a change names its stream. Lost messages do no harm."""
STREAM_LENGTH = 4096
"""Entries kept of a partition's change stream; a reader that fell further behind takes a new image."""


def encode(text: str) -> bytes:
    """An id as bytes: UTF-8, and lone surrogates too, for whatever a client sends must have a key."""
    return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """The id that `encode` made bytes of."""
    return raw.decode("utf-8", "surrogatepass")


class Keys:
    """The key names of a store with ``partitions`` partitions."""

    def __init__(self, partitions: int) -> None:
        if partitions < 1:
            raise ValueError(f"a store needs at least one partition, not {partitions}")
        self.partitions = partitions
        self._tagged = [PREFIX + b"{p%02d}:" % number for number in range(partitions)]

    def partition(self, identity: str) -> int:
        """The partition of a person or room: CRC-32 of its UTF-8 form, the same on every machine."""
        return zlib.crc32(encode(identity)) % self.partitions

    def of_partition(self, partition: int, noun: str) -> bytes:
        """The key of something that a partition has once: its ``epoch``, ``changes``, or a hash of its people."""
        return self._tagged[partition] + noun.encode()

    def of(self, noun: str, identity: str) -> bytes:
        """The key of one person's (or room's) own thing, in their partition."""
        raw = encode(identity)
        return b"%b%b:%b" % (self._tagged[zlib.crc32(raw) % self.partitions], noun.encode(), raw)

    def pair(self, noun: str, home: str, other: str) -> bytes:
        """The key of something between two; it lies in the partition of ``home``."""
        raw = encode(home)
        tagged = self._tagged[zlib.crc32(raw) % self.partitions]
        return b"%b%b:%d:%b:%b" % (tagged, noun.encode(), len(raw), raw, encode(other))
