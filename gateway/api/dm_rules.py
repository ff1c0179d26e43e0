"""A person's rules for direct messages (requirements P3, P10)."""

from __future__ import annotations

from gateway.api.answers import DmRulesAnswer
from gateway.api.bodies import DmRulesBody, Nothing, QuietBody
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.dm_rules import MINOR, DmRules, QuietHours, Senders, ZoneError, zone_of
from ratelimit.rate import Rate, RateError

MAX_LIMIT = 1_000_000
MAX_PERIOD_S = 366 * 86_400


async def put(call: Call[DmRulesBody]) -> Applied:
    """Say who may write to a person, when and how much; these rules replace the former ones."""
    wanted, state, person = call.input, call.gate.state, call.ids["id"]
    scope = wanted.scope or (MINOR.scope if state.is_minor(person) else Senders.ANYONE)
    if (scope is Senders.OLDER_THAN) != (wanted.older_than_days is not None):
        raise bad_request("older_than_days: belongs to scope older-than, which needs it")
    rules = DmRules(
        per_stranger=read_rate(wanted.per_stranger, "per_stranger"),
        strangers=read_rate(wanted.strangers, "strangers"),
        quiet=_quiet(wanted.quiet) if wanted.quiet is not None else None,
        scope=scope,
        older_than_days=wanted.older_than_days or 0,
        until_reply=wanted.until_reply,
        refuse_all=wanted.refuse_all,
        action=wanted.action,
    )
    return await state.set_dm_rules(person, rules)


async def read(call: Call[Nothing]) -> DmRulesAnswer:
    """Who may write to a person, when and how much; of a minor without rules of their own, those that minors have."""
    state, person = call.gate.state, call.ids["id"]
    own, minor = state.own_dm_rules_of(person), state.is_minor(person)
    rules = own or (MINOR if minor else DmRules())
    return DmRulesAnswer(
        per_stranger=_written(rules.per_stranger),
        strangers=_written(rules.strangers),
        quiet=_quiet_written(rules.quiet) if rules.quiet is not None else None,
        scope=rules.scope,
        older_than_days=rules.older_than_days or None,
        until_reply=rules.until_reply,
        refuse_all=rules.refuse_all,
        action=rules.action,
        own=own is not None,
        minor=minor,
    )


async def clear(call: Call[Nothing]) -> Applied:
    """Take back all of a person's rules; the defaults are in force again."""
    return await call.gate.state.set_dm_rules(call.ids["id"], None)


def read_rate(written: str | None, field: str) -> Rate | None:
    """A rate as callers write it; raises `ApiError` (400) naming the field."""
    if written is None:
        return None
    try:
        rate = Rate.parse(written)
    except RateError as error:
        raise bad_request(f"{field}: {error}") from error
    if rate.limit > MAX_LIMIT or rate.period_s > MAX_PERIOD_S:
        raise bad_request(f"{field}: at most {MAX_LIMIT} in at most 366 days")
    return rate


def _written(rate: Rate | None) -> str | None:
    return None if rate is None else str(rate)


def _quiet(wanted: QuietBody) -> QuietHours:
    start, end = _minute(wanted.start), _minute(wanted.end)
    if start == end:
        raise bad_request("quiet: start and end are the same; to be left alone all day, use scope nobody")
    try:
        zone_of(wanted.zone)
    except ZoneError as error:
        raise bad_request(f"quiet.zone: {error}") from error
    return QuietHours(start, end, wanted.zone)


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _quiet_written(quiet: QuietHours) -> QuietBody:
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet.start, quiet.end))
    return QuietBody(start, end, quiet.zone)
