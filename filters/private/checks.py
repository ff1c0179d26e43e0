"""Check digits and assigned ranges: what makes a run of digits a number that somebody holds. Pure arithmetic.

All take a string of ASCII digits (an ID number may end in ``x``) and say whether it can be such a number.
"""

from __future__ import annotations

import re
from datetime import date

_REGION = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
"""The first two digits of an ID number: the province (GB/T 2260; 81 to 83 are residence permits)."""

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10x98765432"

_MOBILE = re.compile(r"1(?:3\d|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])\d{8}")
"""The number ranges given to mobile networks (MIIT numbering plan); 144 and 14x data cards among them."""
_AREA = re.compile(r"0(?:10|2[0-57-9]|[3-9]\d\d)")
_LANDLINE = re.compile(r"(?:010|02[0-57-9])[2-8]\d{7}|0[3-9]\d\d[2-8]\d{6,7}")
_NANP = re.compile(r"(?!.00|8(\d)\1|.11)[2-9]\d\d(?!.11)[2-9]\d{6}")
"""North American numbers without toll-free areas (800, 833, 844 to 888), N00 services and N11 codes."""
_UK = re.compile(r"0(?:7[1-57-9]\d{8}|1[1-9]\d{7,8}|2[03489]\d{8})")
"""United Kingdom mobiles and geographic numbers (Ofcom plan): not 03, 08, 09, which are services, nor 070 and 076."""
_COUNTRY = re.compile(
    r"(?:2[07]|2[1-69]\d|3[0-469]|3[578]\d|42\d|4[013-9]|5[1-8]|50\d|59\d|6[0-6]|6[789]\d|7|8[1246]|85\d|88\d|9[0-58]"
    r"|9[679]\d)"
)
"""ITU-T E.164 country codes but 1 and 86, which have rules of their own, and 800 and 808, which are services."""

_ISSUERS = re.compile(r"62\d{14,17}|4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}")
"""UnionPay, Visa, Mastercard, American Express in the lengths they issue: distinct enough to need no cue."""


def luhn(digits: str) -> bool:
    """Does the last digit check the others (ISO/IEC 7812-1, annex B)?"""
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def id_check(body: str) -> str:
    """The check character of the first 17 digits of an ID number (GB 11643-1999; ISO 7064 MOD 11-2)."""
    return _ID_CHECKS[sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, body, strict=True)) % 11]


def is_id(number: str) -> bool:
    """Eighteen characters: a known province, a day that exists (1900 to 2099), and the right check character."""
    return (
        len(number) == 18
        and _REGION.match(number) is not None
        and number[6:8] in ("19", "20")
        and _is_day(number[6:14])
        and number[17] == id_check(number[:17])
    )


def is_old_id(digits: str) -> bool:
    """Fifteen digits, as issued before 1999: province and birthday, but no check digit. Only a cue makes it one."""
    return len(digits) == 15 and _REGION.match(digits) is not None and _is_day("19" + digits[6:12])


def is_card(digits: str) -> bool:
    """A payment card of an issuer whose prefix and length speak for themselves, and its check digit."""
    return _ISSUERS.fullmatch(digits) is not None and luhn(digits) and len(set(digits)) > 1


def is_any_card(digits: str) -> bool:
    """Any length and issuer of ISO/IEC 7812. One number in ten passes: only a cue makes it a card."""
    return 12 <= len(digits) <= 19 and digits[0] in "123456" and luhn(digits) and len(set(digits)) > 1


def is_mobile(digits: str) -> bool:
    """A mobile number of mainland China, eleven digits; not one that a single key was held down for."""
    return _MOBILE.fullmatch(digits) is not None and len(set(digits[3:])) > 1


def is_landline(digits: str) -> bool:
    """An area code of mainland China and a subscriber number."""
    return _LANDLINE.fullmatch(digits) is not None


def area_length(digits: str) -> int:
    """How many digits of a landline number are its area code."""
    match = _AREA.match(digits)
    return match.end() if match else 0


def is_nanp(digits: str) -> bool:
    """Ten digits of the North American plan, in a geographic area."""
    return _NANP.fullmatch(digits) is not None and len(set(digits)) > 2


def is_uk(digits: str) -> bool:
    """A number of the United Kingdom with its leading 0."""
    return _UK.fullmatch(digits) is not None and len(set(digits)) > 2


def is_international(digits: str) -> bool:
    """What follows a ``+``: a country code and 7 to 12 digits, or the plans of China and North America."""
    if digits.startswith("86"):
        return is_mobile(digits[2:]) or is_landline("0" + digits[2:])
    if digits.startswith("1"):
        return is_nanp(digits[1:])
    match = _COUNTRY.match(digits)
    if not match or not 7 <= len(digits) - match.end() <= 12:
        return False
    subscriber = digits[match.end() :]
    return len(set(subscriber)) > 2 and not subscriber.startswith("00") and not subscriber.endswith("0000")


def is_ssn(digits: str) -> bool:
    """Nine digits that the Social Security Administration may assign: no area 000, 666, 9xx, no part all zeros."""
    return (
        len(digits) == 9
        and digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
        and len(set(digits)) > 1
    )


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
