"""The whole text verdict: terms, private data and the model."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace

from filters.classes import Harm
from filters.hits import MODEL, Severity
from filters.lexicon import parse
from filters.model.scoring import Model
from filters.reader import Reader
from filters.scanner import Scanner
from filters.thresholds import Threshold, Thresholds

READER = Reader.shipped()


def usual(flag: float, refuse: float, distress: float = 99.0) -> Thresholds:
    return Thresholds(Threshold(flag, refuse), distress)


@pytest.mark.req("P4")
def test_abuse_without_a_listed_word_is_found_and_shown() -> None:
    text = "大家记住她家在哪栋楼，晚上一起去敲门，让她别想睡"
    (hit,) = (hit for hit in READER.scan(text).hits if hit.view == MODEL)
    assert hit.harm is not Harm.DISTRESS
    assert 0 <= hit.start < hit.end <= len(text)
    assert hit.why in text


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    "text", ["味道一般，送得太慢，不会再点了", "the plot made no sense", "反对歧视，请尊重每一个人", ""]
)
def test_what_is_fair_passes(text: str) -> None:
    assert READER.scan(text).hits == ()


@pytest.mark.req("S5")
def test_a_cry_is_one_hit_over_the_whole_text() -> None:
    (hit,) = READER.scan("今天的汤很好喝", usual(99, 99, distress=-50)).hits
    assert (hit.harm, hit.start, hit.end, hit.view) == (Harm.DISTRESS, 0, 7, MODEL)


def test_the_two_points_are_two_severities() -> None:
    text = "今天的汤很好喝"
    severities = [
        [hit.severity for hit in READER.scan(text, usual(*points)).hits] for points in ((99, 99), (-50, 99), (-50, -50))
    ]
    assert severities == [[], [Severity.MILD], [Severity.SERIOUS]]


def test_a_class_may_have_a_threshold_of_its_own() -> None:
    likeliest = Model.shipped().classes("今天的汤很好喝")
    classes = {likeliest[0][0]: Threshold(99, 99)}
    (hit,) = READER.scan("今天的汤很好喝", Thresholds(Threshold(-50, 99), 99.0, classes)).hits
    assert hit.harm is likeliest[1][0]


@pytest.mark.req("O3")
def test_other_terms_come_to_the_same_model() -> None:
    other = Scanner.compile(parse([("x.lexicon", "shieldwire-lexicon 1\n[insult serious]\n紫色大象")]))
    reader, text = READER.with_scanner(other), "紫色大象"
    assert [hit.why for hit in reader.scan_terms(text).hits] == [text]
    assert READER.scan_terms(text).hits == ()
    assert reader.scan("今天的汤很好喝") == READER.scan("今天的汤很好喝")


@pytest.mark.req("P4", "S5")
def test_hits_of_the_model_carry_its_chance_and_their_reasons_are_told_to_who_asks() -> None:
    text = "nobody wants you here, you idiot"
    scan = READER.scan(text, usual(-50, 99, distress=-50))
    explained = READER.explained(text, scan.hits)
    for hit, told in zip(scan.hits, explained, strict=True):
        if hit.view == MODEL:
            assert 0 < hit.chance < 1
            assert told.why.startswith(f"{hit.chance:.2f}")
            assert replace(told, why="") == replace(hit, why="")
        else:
            assert (hit.chance, told) == (1.0, hit)
    abuse = next(hit for hit in explained if hit.view == MODEL and hit.harm is not Harm.DISTRESS)
    assert "idiot" in abuse.why


def test_a_text_of_any_length_and_of_any_code_points_is_read() -> None:
    for text in ("", "\ud800", "\ud800傻逼", "ab," * 20_000, "傻逼 " * 20_000):
        scan = READER.scan(text, usual(-99, -99, distress=-99))
        assert all(0 <= hit.start <= hit.end <= len(text) for hit in READER.explained(text, scan.hits))


FIRST = """
import time
from gateway.warm_start import keep_machine_code
keep_machine_code()
from filters.reader import Reader
from filters.scanner import Scanner
from filters.thresholds import Threshold, Thresholds
reader, eager = Reader.shipped(), Thresholds(Threshold(-99, -99), -99)
reader.warm_up()
started = time.perf_counter()
reader.scan("今天的汤很好喝 nobody wants you here", eager)
print(time.perf_counter() - started)
"""


def test_after_warming_up_the_first_text_costs_what_the_thousandth_does() -> None:
    """Microseconds; to read the weights or compile a kernel takes a second. The machine may be busy once or twice."""
    taken = [
        float(subprocess.run([sys.executable, "-c", FIRST], capture_output=True, check=True).stdout) for _ in "123"
    ]
    assert min(taken) < 0.002


def test_the_score_is_never_below_that_of_the_model() -> None:
    plain, worse = "主播打得真菜", "主播打得真菜，傻逼"
    assert 0 <= READER.scan(plain).score < READER.scan(worse).score <= 1
