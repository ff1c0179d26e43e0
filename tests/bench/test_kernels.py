"""The bench of the kernels: it measures what it says, and refuses wrong answers before it times them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bench import kernels, probes
from bench.corpus import Message, messages
from bench.reads import ROUTE, reads
from bench.report import BenchError
from bench.timing import Contender, us_per_call
from filters.scanner import Scanner
from gateway.settings import MIB
from gateway.wire.read_kernel import VERDICT, ReadJudge
from gateway.wire.read_plan import plan_of


def test_contenders_take_turns_on_inputs_of_their_own() -> None:
    seen: list[tuple[str, int]] = []
    made: list[int] = []

    def inputs() -> Sequence[Any]:
        made.append(len(made))
        return [made[-1]]

    def contender(name: str) -> Contender:
        return Contender(lambda one: seen.append((name, one)), inputs)

    us = us_per_call({name: contender(name) for name in "ab"}, rounds=3)
    assert seen == [("ab"[turn % 2], turn) for turn in range(8)]
    assert us.keys() == {"a", "b"}


def test_a_time_is_the_median_of_its_rounds_without_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 9_000_000, 0, 6_000, 0, 2_000, 0, 4_000])
    monkeypatch.setattr("time.process_time_ns", lambda: next(clock))
    assert us_per_call({"x": Contender(abs, lambda: [1, 2])}, rounds=3) == {"x": 2.0}


def test_a_peer_that_misses_a_term_stops_the_bench() -> None:
    planted = [message for message in messages(40) if message.planted]
    with pytest.raises(BenchError, match="misses"):
        kernels._check_answers(Scanner.shipped(), planted, [lambda text: []])


def test_a_scanner_that_misjudges_stops_the_bench() -> None:
    wrong = [Message("a", "你这个傻逼", ""), Message("b", "今天的直播真好看", "")]
    with pytest.raises(BenchError, match="misjudges 1 of 2"):
        kernels._check_answers(Scanner.shipped(), wrong, [])


def test_reads_hold_every_message_once() -> None:
    plan = plan_of(ROUTE, MIB)
    assert plan is not None
    judge = ReadJudge(Scanner.shipped(), plan)
    batch = reads(messages(100), 16)
    assert [len(judge.judge(read)) for read in batch] == [16] * 6 + [4]
    assert all((judge.judge(read)[:, VERDICT] >= 0).all() for read in batch)


def test_pieces_are_the_same_text_cut() -> None:
    assert kernels._pieces("abcdefgh", 3) == ["abc", "def"]


def test_a_probe_runs_in_a_fresh_process() -> None:
    assert probes.in_fresh_process("compile_lexicon", 100)["compile_s"] > 0


def test_a_probe_that_fails_says_so() -> None:
    with pytest.raises(BenchError, match="the probe nothing failed"):
        probes.in_fresh_process("nothing", 1)
