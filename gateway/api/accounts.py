"""What the platform knows of accounts: their age, whether they are verified, minors (requirements P3, P10).

These facts come by this feed and not from token claims: a person's rules judge the sender by them, and a claim would be
known only of senders who connect with a token of the platform's, and be as old as that token.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from gateway.api.answers import AccountAnswer
from gateway.api.bodies import AccountBody, Nothing
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.dm_rules import Account

ADULT_AGE = 18


async def put(call: Call[AccountBody]) -> Applied:
    """Say what is known of an account, instead of what was said before; of a birth, the 18th birthday alone is kept."""
    told, state = call.input, call.gate.state
    if told.birth is not None and told.minor:
        raise bad_request("minor: is told by birth; send one of the two")
    if told.created > state.now():
        raise bad_request("created: lies in the future")
    minor_until = float("inf") if told.minor else _adult_at(told.birth) if told.birth is not None else 0.0
    return await state.set_account(call.ids["id"], Account(told.created, told.verified), minor_until)


async def read(call: Call[Nothing]) -> AccountAnswer:
    """What is known of an account."""
    state, account = call.gate.state, call.ids["id"]
    known = await state.account(account)
    return AccountAnswer(known.created, known.verified, state.is_minor(account))


async def forget(call: Call[Nothing]) -> Applied:
    """Forget what is known of an account."""
    return await call.gate.state.set_account(call.ids["id"], Account(), 0.0)


def _adult_at(birth: date) -> float:
    """When somebody is 18 wherever on earth they are: the birthday begins last at UTC-12."""
    year = birth.year + ADULT_AGE
    if year > date.max.year:
        raise bad_request("birth: lies in the future")
    leap_day = birth.month == 2 and birth.day == 29
    day = date(year, 3, 1) if leap_day and not _is_leap(year) else birth.replace(year=year)
    return datetime.combine(day, time(12), UTC).timestamp()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
