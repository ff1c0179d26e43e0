"""Check digits, against their standards' own wording and examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.private import checks
from tests.filters.private import oracle

DIGITS = st.text("0123456789", min_size=1, max_size=24)


@given(DIGITS)
def test_luhn_is_the_naive_sum(digits: str) -> None:
    assert checks.luhn(digits) == oracle.luhn(digits)


@given(DIGITS, st.integers(0, 23), st.integers(1, 9))
def test_luhn_sees_every_wrong_digit(digits: str, place: int, change: int) -> None:
    valid = next(digits + check for check in "0123456789" if oracle.luhn(digits + check))
    place %= len(valid)
    wrong = valid[:place] + str((int(valid[place]) + change) % 10) + valid[place + 1 :]
    assert not checks.luhn(wrong)


@given(st.text("0123456789", min_size=17, max_size=17))
def test_id_check_is_the_standards_recursion(body: str) -> None:
    assert checks.id_check(body) == oracle.id_check(body)


def test_id_of_the_standard() -> None:
    assert checks.is_id("11010519491231002x")  # the example of GB 11643-1999


@pytest.mark.parametrize(
    "body", ["16010519491231002", "11010519490229002", "11010519491331002", "11010518491231002"], ids=str
)
def test_id_needs_a_province_and_a_day(body: str) -> None:
    assert not checks.is_id(body + checks.id_check(body))


@pytest.mark.parametrize("ssn", ["000121234", "666121234", "900121234", "123001234", "123120000", "12312000"])
def test_ssn_never_assigned(ssn: str) -> None:
    assert not checks.is_ssn(ssn)


@pytest.mark.parametrize("number", ["8005550100", "4008208820", "9115550100", "2129110100", "1235550100"])
def test_nanp_services_are_nobodys(number: str) -> None:
    assert not checks.is_nanp(number)


@pytest.mark.parametrize("number", ["447700900123", "12025550143", "8613800138000", "41215550100", "61491570156"])
def test_international(number: str) -> None:
    assert checks.is_international(number)


@pytest.mark.parametrize("number", ["100000000", "20000000", "3950000000", "999999999999", "86123456789"])
def test_amounts_are_not_international(number: str) -> None:
    assert not checks.is_international(number)


@pytest.mark.parametrize("number", ["07700900123", "02079460958", "01632960001"])
def test_united_kingdom(number: str) -> None:
    assert checks.is_uk(number)
