"""Numbers that reach or identify a person: phones, ID numbers, payment cards, social security numbers.

A *chain* is a run of digits with small gaps. A *number* is some neighbouring groups of a chain, and three things decide
what it is: its digits (``checks``), the shape in which people write that kind (3-4-4), and the words before it. The
looser the digits, the more the shape or a cue must say:

- an ID number or card speaks for itself by its check digit, in any shape, if it is the whole chain;
- a mobile number in a usual shape needs no cue; in any other shape it must be spelled out or have a cue;
- what has neither (7 local digits, a 10-digit run, an old ID number) needs a cue.

A service's number (``客服``, ``hotline``) and a counted thing (``订单号``, ``order no.``) are not private data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from filters.private import checks
from filters.private.findings import Finding, last_cue, stands_alone
from filters.private.gate import FEWEST_DIGITS, MAX_GAP

GAP = rf"[ .\-*(),]{{1,{MAX_GAP}}}"
CHAIN = re.compile(rf"[0-9]+(?:{GAP}[0-9]+)*")
GROUP = re.compile("[0-9]+")
ROMAN_TEN = re.compile(r"[ .\-*]?x(?![a-z0-9_])")
"""The check character 10 of an ID number."""
EXTENSION = re.compile(r"(?: ?(?:x|ext\.? ?|转|分机)|-)\d{1,5}(?!\d)")

FEWEST_UNCUED = 9
"""Digits of the shortest number that needs no cue: a dashed social security number."""
LONGEST_PHONE = 13
"""Of the numbers that only a cue makes a phone."""

WORDS = (
    r"(?P<service>客服|热线|投诉|举报|官方|总机|前台|咨询|订座|hotline|helpline|support|customer service|toll.free)"
    r"|(?P<phone>手机|电话|座机|宅电|联系|号码|拨打|致电|来电|短信|打给|whatsapp|(?<![a-z])(?:tele)?phone|(?<![a-z])tel(?![a-z])"
    r"|mobile|(?<![a-z])(?:cell|fax|dial|sms|text(?:ed|ing)?|call(?:ed|ing)?|ring|reach|contact)(?![a-z])"
    r"|answering at|messages to)"
    r"|(?P<id>身份证|证件号|身份号|id ?card|identity card)"
    r"|(?P<card>卡号|银行卡|信用卡|储蓄卡|账号|帐号|银行|建行|工行|农行|中行|招行|(?<![a-z])(?:card|cc|visa|mastercard|amex)(?![a-z]))"
    r"|(?P<ssn>(?<![a-z])ssn(?![a-z])|social security)"
    r"|(?P<thing>订单|单号|编号|流水|快递|运单|物流|房号|房间|群号|工号|学号|序列|条码|邮编|版本|用户|游戏id|(?<![a-z])(?:uid|id|order|"
    r"tracking|invoice|ticket|ref(?:erence)?|case|serial|isbn|confirmation|license|version|zip|iban|orders|parcel)(?![a-z]))"
)
CUES = re.compile(
    r"(?=[acdfhilmoprstuvwz中举信储农前单卡号咨学宅官客工帐序座建快总房手打投招拨条来流游热版物用电短编群联致订证账身运邮银])"
    rf"(?:{WORDS})"
)
"""Words that explain a number; asked for only where one of their first characters stands, which is far cheaper."""
COUNTED = re.compile(r" ?(?:元|块|万|亿|个|粉|赞|票|米|%|kg|km)")
"""What follows a quantity."""
CHINESE = re.compile("[\u3400-\u9fff]")
DATE = re.compile(r"(?:19|20)\d\d[\-.][01]?\d[\-.][0-3]?\d(?=[ ,()]|$)")
"""A day, with which lists of numbers and times of day often begin."""
DATE_SHAPES = frozenset({(4, 2, 2), (4, 1, 2), (4, 2, 1), (2, 2, 4), (1, 2, 4), (2, 1, 4), (4, 4)})
SERVICE = re.compile(r"(?:00|\+)?1?(?:[48]00|8(\d)\1|900)\d{7}|0[89]00\d*|9[56]\d{3,6}|1[0129]\d{3,6}")
"""Numbers that belong to services, not persons: toll-free, premium, hotlines."""

MOBILE_SHAPES = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (4, 4, 3), (4, 3, 4), (5, 6), (3, 5, 3)})
CARD_SHAPES = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 6, 5), (6, 13), (6, 10)})
ID_SHAPES = frozenset({(6, 8, 4), (6, 4, 4, 4), (3, 3, 4, 4, 4), (6, 4, 2, 2, 4), (14, 4), (6, 12), (10, 4, 4)})
NANP_SHAPES = frozenset({(3, 3, 4), (3, 7), (6, 4)})
UK_SHAPES = frozenset({(5, 6), (5, 3, 3), (3, 4, 4), (4, 3, 4), (4, 7), (3, 8)})

LONGEST = 21
"""No number has more digits (19 of a card)."""
MOST_GROUPS = 5
"""No usual shape has more groups."""
SPELLED_GROUPS = 7
"""A chain of so many groups of one or two digits is spelled out: nobody writes so but to be read as one number."""

_NO_GAPS: frozenset[str] = frozenset()
_USUAL_GAPS = frozenset({" ", ".", "-", "*"})
_AREA_GAPS = frozenset({")", ") ", ")-"})
_KNOWN_GAPS = _USUAL_GAPS | _AREA_GAPS


class Context(msgspec.Struct, frozen=True):
    """A chain and what is known of its surroundings."""

    view: str
    groups: list[tuple[int, int]]
    """The spans of its groups of digits in the view."""
    chinese: bool
    """Is the text Chinese? Some numbers could be of two countries."""
    cue: str | None
    """The name of the last group of ``CUES`` before it."""


class Number(msgspec.Struct, frozen=True):
    """Neighbouring groups of a chain."""

    digits: str
    shape: tuple[int, ...]
    gaps: frozenset[str]
    plus: bool
    spelled_out: bool
    chinese: bool
    cue: str | None

    @property
    def even(self) -> bool:
        """Written in one piece, or with the same usual gap throughout; an area code may stand in parentheses."""
        return not self.gaps or (len(self.gaps - _AREA_GAPS) <= 1 and self.gaps <= _KNOWN_GAPS)


def find_numbers(view: str) -> Iterator[Finding]:
    """The numbers in a view without ghosts, in order. Time is linear in its length."""
    chinese = CHINESE.search(view) is not None
    for chain in CHAIN.finditer(view):
        if chain.end() - chain.start() >= FEWEST_DIGITS:
            date = DATE.match(view, *chain.span())
            start = date.end() if date else chain.start()
            if chain.end() - start < FEWEST_DIGITS:
                continue
            groups = _groups(view, start, chain.end())
            context = Context(view, groups, chinese, last_cue(CUES, view, chain.start()))
            yield from _in_chain(context)


def _groups(view: str, start: int, end: int) -> list[tuple[int, int]]:
    """The spans of the groups of digits in a chain."""
    if view[start:end].isdigit():
        return [(start, end)]
    return [match.span() for match in GROUP.finditer(view, start, end)]


def _in_chain(context: Context) -> Iterator[Finding]:
    """The whole chain as one number, or else the numbers of usual shapes that follow each other in it."""
    groups = context.groups
    count = len(groups)
    if count == 1:
        finding = _read(context, 0, 1)
        if finding:
            yield finding
        return
    if count > MOST_GROUPS and groups[-1][1] - groups[0][0] <= (MAX_GAP + 1) * LONGEST:
        finding = _read(context, 0, count)
        if finding:
            yield finding
            return
    first = 0
    while first < count:
        last = min(count, first + MOST_GROUPS)
        finding = None
        while last > first and groups[last - 1][1] - groups[first][0] >= FEWEST_DIGITS and not finding:
            finding = _read(context, first, last)
            last -= 1
        if finding:
            yield finding
        first = last + 1 if finding else first + 1


def _read(context: Context, first: int, last: int) -> Finding | None:
    """The number that the groups from ``first`` to ``last`` (exclusive) are, if any."""
    view, groups = context.view, context.groups
    start, end = groups[first][0], groups[last - 1][1]
    shape = (end - start,) if last == first + 1 else tuple(right - left for left, right in groups[first:last])
    if not (FEWEST_DIGITS if context.cue else FEWEST_UNCUED) <= sum(shape) <= LONGEST:
        return None
    if last == first + 1:
        digits, gaps = view[start:end], _NO_GAPS
    else:
        digits = "".join([view[left:right] for left, right in groups[first:last]])
        gaps = frozenset([view[left:right] for (_, left), (right, _) in pairwise(groups[first:last])])
    whole = first == 0 and last == len(groups)
    if not whole and not _separate(context, first, last, gaps):
        return None
    roman_ten = ROMAN_TEN.match(view, end) if len(digits) == 17 else None
    if roman_ten:
        digits, shape, end = digits + "x", (*shape[:-1], shape[-1] + 1), roman_ten.end()
    plus = view[start - 1 : start] == "+"
    spelled_out = whole and len(shape) >= SPELLED_GROUPS and max(shape) <= 2
    number = Number(digits, shape, gaps, plus, spelled_out, context.chinese, context.cue)
    kind = kind_of(number)
    if kind is None:
        return None
    extension = EXTENSION.match(view, end) if kind.startswith("phone") else None
    if extension:
        end = extension.end()
    elif COUNTED.match(view, end):
        return None
    start -= plus
    if view[start - 1 : start] == "(" and ")" in view[start:end]:
        start -= 1
    return Finding(start, end, kind) if stands_alone(view, start, end) else None


def _separate(context: Context, first: int, last: int, gaps: frozenset[str]) -> bool:
    """Do the gaps on both sides part the groups from the rest of the chain? A part of a longer code is no number."""
    view, groups = context.view, context.groups
    before = view[groups[first - 1][1] : groups[first][0]] if first else None
    after = view[groups[last - 1][1] : groups[last][0]] if last < len(groups) else None
    return all(gap is None or (gap not in ("-", ".") and gap not in gaps) for gap in (before, after))


def kind_of(number: Number) -> str | None:
    """What a number is, or None."""
    if _is_id(number):
        return "id-cn"
    if number.cue == "thing" or not number.digits.isdecimal():
        return None
    if _is_card(number):
        return "card"
    if _is_ssn(number):
        return "ssn"
    return _phone(number)


def _is_id(number: Number) -> bool:
    """An 18-digit number speaks for itself, whatever is said before it; one of 15 digits does not."""
    if number.cue == "id" and checks.is_old_id(number.digits):
        return True
    usual = len(number.shape) == 1 or number.shape in ID_SHAPES or number.spelled_out or number.cue == "id"
    return usual and checks.is_id(number.digits)


def _is_card(number: Number) -> bool:
    if number.cue == "card":
        return checks.is_any_card(number.digits)
    usual = len(number.shape) == 1 or (number.shape in CARD_SHAPES and number.even) or number.spelled_out
    return usual and not number.plus and checks.is_card(number.digits)


def _is_ssn(number: Number) -> bool:
    dashed = number.shape == (3, 2, 4) and number.gaps == {"-"}
    return (number.cue == "ssn" or (dashed and number.cue != "phone")) and checks.is_ssn(number.digits)


def _phone(number: Number) -> str | None:
    digits, shape = number.digits, number.shape
    cued = number.cue == "phone"
    prefix = 4 if digits.startswith("0086") else 2 if digits.startswith("86") else 0
    if checks.is_mobile(digits[prefix:]):
        usual = number.even and _without(prefix, shape) in MOBILE_SHAPES
        return "phone-cn" if usual or number.spelled_out or (cued and shape[0] > 1) else None
    if SERVICE.fullmatch(digits) or number.cue == "service":
        return None
    if number.plus and checks.is_international(digits.replace("0", "", 1) if "(0" in number.gaps else digits):
        return "phone-cn" if digits.startswith("86") else "phone-en"
    if checks.is_landline(digits) and (number.chinese or not checks.is_uk(digits)):
        usual = len(shape) == 1 or (number.even and shape[0] == checks.area_length(digits) and len(shape) <= 3)
        return "phone-cn" if usual or number.spelled_out or cued else None
    if _is_marked_english(number):
        return "phone-en"
    if not cued or shape in DATE_SHAPES or len(set(digits)) <= 2:
        return None
    if number.chinese:
        local = len(digits) in (7, 8) and digits[0] in "2345678"
        return "phone-cn" if local else None
    return "phone-en" if len(digits) <= LONGEST_PHONE else None


def _is_marked_english(number: Number) -> bool:
    """Is it a number of North America or the United Kingdom, grouped as it is written there?"""
    digits, shape = number.digits, number.shape
    prefix = 3 if digits.startswith("001") else 1 if digits.startswith("1") else 0
    if checks.is_nanp(digits[prefix:]):
        marked = number.even and bool(number.gaps) and number.gaps != {" "}
        if marked and _without(prefix, shape) in NANP_SHAPES:
            return True
    usual = len(shape) == 1 or shape in UK_SHAPES
    return len(digits) == 11 and checks.is_uk(digits) and number.even and usual


def _without(prefix: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a number without the digits of its country."""
    return shape[1:] if shape[0] == prefix else (shape[0] - prefix, *shape[1:])
