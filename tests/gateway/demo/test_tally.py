"""Counting the fates of replayed messages."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.tally import Fate, Outcome, percentile, summarise

outcomes = st.builds(
    Outcome,
    label=st.sampled_from(["0", "1", "-"]),
    fate=st.sampled_from(Fate),
    took=st.floats(0, 20),
    reason=st.sampled_from(["", "insult", "threat"]),
)


@given(st.lists(outcomes, max_size=60))
def test_every_outcome_is_counted_once_under_its_label_and_once_under_all(given_outcomes: list[Outcome]) -> None:
    summary = summarise(given_outcomes, seconds=2.0)
    expected = Counter((outcome.label, outcome.fate) for outcome in given_outcomes)
    *labels, over_all = summary.lines
    assert {(line.label, fate): n for line in labels for fate, n in line.fates.items() if n} == dict(expected)
    assert over_all.rows == summary.rows == len(given_outcomes) == sum(line.rows for line in labels)
    assert all(sum(line.fates.values()) == line.rows for line in summary.lines)
    assert summary.lost == sum(outcome.fate is Fate.LOST for outcome in given_outcomes)
    assert summary.per_second == len(given_outcomes) / 2


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 1.0))
def test_a_percentile_is_the_least_value_that_has_its_share_at_or_below_it(values: list[float], share: float) -> None:
    ordered = sorted(values)
    expected = next(v for v in ordered if sum(other <= v for other in ordered) >= share * len(ordered) - 1e-9)
    assert percentile(ordered, share) == expected


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.5) == 0


def test_latencies_leave_lost_messages_out_and_reasons_count_what_was_stopped() -> None:
    summary = summarise(
        [
            Outcome("0", Fate.PASSED, 0.002),
            Outcome("1", Fate.REFUSED, 0.001, "insult"),
            Outcome("1", Fate.NUDGED, 0.004, "insult"),
            Outcome("1", Fate.REFUSED, 0.003, "threat"),
            Outcome("1", Fate.LOST, 15.0),
        ],
        seconds=0.5,
    )
    assert (summary.p50_ms, summary.p99_ms) == (2.0, 4.0)
    assert summary.reasons == {"insult": 2, "threat": 1}


def test_the_table_has_a_line_per_label_and_the_figures() -> None:
    table = summarise([Outcome("0", Fate.PASSED, 0.002), Outcome("1", Fate.REFUSED, 0.001, "insult")], 0.5).table()
    heading, zero, one, over_all, reasons, figures = table.splitlines()
    assert heading.split() == ["label", "rows", "passed", "masked", "nudged", "refused", "lost"]
    assert zero.split() == ["0", "1", "1", "0", "0", "0", "0"]
    assert one.split() == ["1", "1", "0", "0", "0", "1", "0"]
    assert over_all.split() == ["all", "2", "1", "0", "0", "1", "0"]
    assert reasons.endswith("insult 1")
    assert figures == "2 messages in 0.5 s, 4 a second; fate known after 1.0 ms (p50), 2.0 ms (p99)"
