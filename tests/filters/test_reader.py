"""The whole text verdict: terms, private data and the model."""

from __future__ import annotations

import pytest

from filters.classes import Harm
from filters.hits import Severity
from filters.model.scoring import Model
from filters.reader import VIEW, Reader, Threshold, Thresholds
from filters.scanner import Scanner

READER = Reader.shipped()


def with_usual(flag: float, refuse: float, distress: float = 99.0) -> Reader:
    return Reader(Scanner.shipped(), Model.shipped(), Thresholds(Threshold(flag, refuse), distress))


@pytest.mark.req("P4")
def test_abuse_without_a_listed_word_is_found_and_shown() -> None:
    text = "大家记住她家在哪栋楼，晚上一起去敲门，让她别想睡"
    (hit,) = (hit for hit in READER.scan(text).hits if hit.view == VIEW)
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
    reader = with_usual(99, 99, distress=-50)
    (hit,) = reader.scan("今天的汤很好喝").hits
    assert (hit.harm, hit.start, hit.end, hit.view) == (Harm.DISTRESS, 0, 7, VIEW)


def test_the_two_points_are_two_severities() -> None:
    text = "今天的汤很好喝"
    severities = [
        [hit.severity for hit in with_usual(*points).scan(text).hits] for points in ((99, 99), (-50, 99), (-50, -50))
    ]
    assert severities == [[], [Severity.MILD], [Severity.SERIOUS]]


def test_a_class_may_have_a_threshold_of_its_own() -> None:
    likeliest = Model.shipped().classes("今天的汤很好喝")
    classes = {likeliest[0][0]: Threshold(99, 99)}
    reader = Reader(Scanner.shipped(), Model.shipped(), Thresholds(Threshold(-50, 99), 99.0, classes))
    (hit,) = reader.scan("今天的汤很好喝").hits
    assert hit.harm is likeliest[1][0]


def test_the_score_is_never_below_that_of_the_model() -> None:
    plain, worse = "主播打得真菜", "主播打得真菜，傻逼"
    assert 0 <= READER.scan(plain).score < READER.scan(worse).score <= 1
