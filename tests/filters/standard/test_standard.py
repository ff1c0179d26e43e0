"""The classification standard: complete, held to by the filters, and rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters import standard
from filters.classes import Harm
from filters.hits import Hit, Severity
from filters.scanner import Scanner
from filters.standard import ClassStandard, Wording
from filters.standard.render import PAGE, render

SHIPPED = standard.shipped()
SCANNER = Scanner.shipped()


def lines(field: str) -> list[tuple[ClassStandard, str]]:
    return [(each, text) for each in SHIPPED.classes.values() for text in getattr(each, field)]


def of_class(each: ClassStandard, text: str) -> list[Hit]:
    return [hit for hit in SCANNER.scan(text).hits if hit.harm is each.harm]


@pytest.mark.req("W1")
def test_every_class_is_described_in_both_languages() -> None:
    assert list(SHIPPED.classes) == list(Harm)
    for each in SHIPPED.classes.values():
        steps = [each.severity[severity] for severity in Severity]
        for wording in (each.name, each.definition, *(Wording(step.zh, step.en) for step in steps)):
            assert wording.zh
            assert wording.en
        assert each.articles


@pytest.mark.req("W1")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_class_has_examples_and_counter_examples(language: str) -> None:
    for each in SHIPPED.classes.values():
        assert len(getattr(each.examples, language)) >= 8, each.harm
        assert len(getattr(each.counter_examples, language)) >= 8, each.harm


@pytest.mark.req("W1")
@pytest.mark.parametrize(("each", "text"), lines("examples"))
def test_an_example_is_hit(each: ClassStandard, text: str) -> None:
    assert of_class(each, text)


@pytest.mark.req("W1", "W3")
@pytest.mark.parametrize(("each", "text"), lines("counter_examples"))
def test_a_counter_example_is_not(each: ClassStandard, text: str) -> None:
    assert SCANNER.scan(text).hits == ()


@pytest.mark.req("W1")
def test_what_is_said_to_be_missed_or_a_false_alarm_still_is() -> None:
    assert [text for each, text in lines("missed") if of_class(each, text)] == []
    assert [text for each, text in lines("false_alarms") if not of_class(each, text)] == []


@pytest.mark.req("W1")
def test_no_line_is_on_two_sides() -> None:
    examples = {text for field in ("examples", "missed") for _, text in lines(field)}
    counter_examples = {text for field in ("counter_examples", "false_alarms") for _, text in lines(field)}
    assert examples & counter_examples == set()
    assert len(lines("examples")) + len(lines("missed")) == len(examples)


@pytest.mark.req("S5")
def test_distress_is_never_punished_and_graver_is_never_milder() -> None:
    order = ("allow", "nudge", "mask", "hide", "hold", "reject", "disconnect")
    for each in SHIPPED.classes.values():
        ladder = [order.index(each.severity[severity].disposition) for severity in Severity]
        assert ladder == sorted(ladder)
        assert (max(ladder) == 0) == (each.harm is Harm.DISTRESS)


@pytest.mark.req("W1")
def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(SHIPPED) + "\n"


BAD = {
    "unknown key": ('version = "1"\nrevised = 2026-01-01\nauthor = "x"\n', "contains unknown field `author`"),
    "missing key": ('version = "1"\n', "missing required field `revised`"),
    "no TOML": ("version = ", "Invalid value"),
}


@pytest.mark.req("W1")
@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_by_name(content: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "standard.toml"
    file.write_text(content)
    with pytest.raises(ValueError, match=rf"^standard\.toml: .*{reason}"):
        standard._read(file, standard._Revision)
