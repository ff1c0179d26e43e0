"""Naive readings, written apart from the package: what a text may hold, and the numbers that stand alone in it."""

from __future__ import annotations

import itertools
import unicodedata
from datetime import date

MOBILE_PREFIXES = {str(n) for n in range(130, 200)} - set(
    "142 143 154 160 161 163 164 168 169 179 194".split()  # noqa: SIM905
)


def luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def id_check(body: str) -> str:
    """ISO 7064 MOD 11-2 as the standard words it: the remainder is carried from digit to digit."""
    remainder = 0
    for digit in body:
        remainder = (remainder + int(digit)) * 2 % 11
    value = (12 - remainder) % 11
    return "x" if value == 10 else str(value)


def is_id(number: str) -> bool:
    if len(number) != 18 or number[17] != id_check(number[:17]) or number[6:8] not in ("19", "20"):
        return False
    try:
        date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return False
    provinces = {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)}
    return int(number[:2]) in provinces | {71, 81, 82, 83}


def kind(digits: str) -> str | None:
    """What one unbroken run of digits is, with nothing said about it."""
    if is_id(digits):
        return "id-cn"
    if len(digits) == 11 and digits[:3] in MOBILE_PREFIXES and len(set(digits[3:])) > 1:
        return "phone-cn"
    lengths = {"62": (16, 17, 18, 19), "4": (16,), "34": (15,), "37": (15,)}
    lengths |= {str(n): (16,) for n in (*range(51, 56), *range(2221, 2721))}
    issued = any(digits.startswith(prefix) and len(digits) in ns for prefix, ns in lengths.items())
    return "card" if issued and luhn(digits) else None


def runs(text: str) -> set[tuple[int, int, str]]:
    """The unbroken runs of decimal digits that are private by themselves."""
    found = set()
    place = 0
    for is_digit, group in itertools.groupby(text, str.isdecimal):
        run = "".join(group)
        why = kind("".join(str(unicodedata.decimal(char)) for char in run)) if is_digit else None
        if why:
            found.add((place, place + len(run), why))
        place += len(run)
    return found
