"""Side by side: contenders take turns on fresh inputs, and each is worth the median of its rounds."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

ROUNDS = 11


class Contender(msgspec.Struct, frozen=True):
    """Something that is called once per input."""

    call: Callable[[Any], object]
    inputs: Callable[[], Sequence[Any]]
    """Makes the inputs of one round, off the clock. They are new objects each time: a ``str`` remembers its UTF-8 form
    once somebody asked for it, and no message of a client ever comes twice as the same object."""


def us_per_call(contenders: Mapping[str, Contender], rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU time of one call in microseconds, the loop included. Contenders alternate; a first round is waste."""
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    with _no_collection():
        for _ in range(rounds + 1):
            for name, contender in contenders.items():
                samples[name].append(_round(contender))
    return {name: statistics.median(times[1:]) for name, times in samples.items()}


def _round(contender: Contender) -> float:
    inputs, call = contender.inputs(), contender.call
    started = time.process_time_ns()
    for item in inputs:
        call(item)
    return (time.process_time_ns() - started) / len(inputs) / 1e3


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the garbage collector, as timeit does it: it would bill one contender for another's garbage."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
