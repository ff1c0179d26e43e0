"""Figures that only a fresh process can give: the first message, a worker's memory, the compile of a long lexicon.

Each runs alone as ``python -m bench.probes NAME TERMS`` and prints one JSON object of metrics.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench import corpus
from bench.report import BenchError
from gateway.warm_start import keep_machine_code

_THOUSAND = 1000
_SETTLED = 100
"""How many of the thousand messages, up to the thousandth, stand for it: one call is too short for one reading."""


def in_fresh_process(probe: str, terms: int) -> dict[str, float]:
    """Run one probe in an interpreter of its own; returns its metrics. Raises ``BenchError`` where it fails."""
    command = [sys.executable, "-m", "bench.probes", probe, str(terms)]
    try:
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own module
    except subprocess.CalledProcessError as error:
        raise BenchError(f"the probe {probe} failed:\n{error.stderr.decode(errors='replace')}") from error
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def first_message(terms: int) -> dict[str, float]:
    """After warm-up, the first message against the thousandth. Wall time, since a stall is what it looks for."""
    from filters.scanner import Scanner

    texts = [message.text for message in corpus.messages(_THOUSAND)]
    scanner = Scanner.compile(corpus.lexicon(terms))
    scanner.warm_up()
    _us_each(len, texts[-_SETTLED:])  # warms the clock's own code, not the scanner's
    times = _us_each(scanner.scan, texts)
    return {"first_us": times[0], "thousandth_us": statistics.median(times[-_SETTLED:])}


def heap(terms: int) -> dict[str, float]:
    """What a warm scanner adds to the anonymous memory of a process, its code included; mapped files are not."""
    lexicon = corpus.lexicon(terms)
    before = anonymous_mb()
    from filters.scanner import Scanner

    scanner = Scanner.compile(lexicon)
    scanner.warm_up()
    gc.collect()
    return {"heap_mb": anonymous_mb() - before}


def compile_lexicon(terms: int) -> dict[str, float]:
    """Seconds from the text of a lexicon file to a scanner, with the kernels' machine code at hand."""
    from filters.lexicon import parse
    from filters.scanner import Scanner

    file = corpus.synthetic_file(terms)
    started = time.perf_counter()
    Scanner.compile(parse([file]))
    return {"compile_s": time.perf_counter() - started}


PROBES: dict[str, Callable[[int], dict[str, float]]] = {
    "first_message": first_message,
    "heap": heap,
    "compile_lexicon": compile_lexicon,
}


def _us_each(call: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    times = []
    for text in texts:
        started = time.perf_counter_ns()
        call(text)
        times.append((time.perf_counter_ns() - started) / 1e3)
    return times


def anonymous_mb() -> float:
    """The anonymous memory of this process; mapped files are not in it. Raises ``BenchError``."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise BenchError("memory is measured by /proc/self/smaps_rollup, which only Linux has") from error
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


if __name__ == "__main__":
    keep_machine_code()  # as every process of the gateway does
    print(msgspec.json.encode(PROBES[sys.argv[1]](int(sys.argv[2]))).decode())
