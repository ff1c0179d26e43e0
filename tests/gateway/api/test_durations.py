"""Durations as callers write them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.durations import Duration, seconds
from gateway.api.faults import ApiError

MAX_S = 366 * 86_400


@pytest.mark.parametrize(
    ("written", "length"),
    [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("366d", MAX_S), (1, 1), (MAX_S, MAX_S)],
)
def test_what_is_written_is_what_is_meant(written: Duration, length: int) -> None:
    assert seconds(written) == length


IMPOSSIBLE = (
    "",
    "7",
    "d",
    "0s",
    "-1h",
    "1.5h",
    "7 d",
    "7d ",
    "7d\n",
    "7D",
    "07d",
    "1w",
    "1h30m",
    "٧d",
    "367d",
    "9999999999s",
)


@pytest.mark.parametrize("written", [*IMPOSSIBLE, 0, -1, MAX_S + 1])
def test_what_cannot_be_meant_is_refused_with_the_name_of_the_field(written: Duration) -> None:
    with pytest.raises(ApiError, match=r"^wait: ") as refused:
        seconds(written, "wait")
    assert refused.value.status == 400


@given(number=st.integers(1, 40_000_000), unit=st.sampled_from([("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]))
def test_number_times_unit_within_366_days_and_nothing_beyond(number: int, unit: tuple[str, int]) -> None:
    written = f"{number}{unit[0]}"
    assert msgspec.convert(written, Duration) == written
    if number * unit[1] <= MAX_S:
        assert seconds(written) == number * unit[1]
    else:
        with pytest.raises(ApiError):
            seconds(written)
