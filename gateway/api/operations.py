"""Every operation of the control API, in one table. Who may do what stands in `rights.RIGHTS`."""

from __future__ import annotations

from typing import Any

from gateway.api import (
    accounts,
    answers,
    blocklists,
    bodies,
    cases,
    circles,
    dm_rules,
    limits,
    links,
    protections,
    rooms,
    sanctions,
    verdicts,
)
from gateway.api.operation import KIB, Operation
from gateway.state.changes import Applied

_PROTECTION = "/v1/users/{id}/protection"
_BLOCKLIST = "/v1/users/{id}/blocklist"
_DM_RULES = "/v1/users/{id}/dm-rules"
_ACCOUNT = "/v1/accounts/{id}"
_CIRCLE = "/v1/users/{id}/circle"
_TRUST = "/v1/users/{id}/circle/{other}"
_ROOM = "/v1/rooms/{id}"
_MODE = "/v1/rooms/{id}/mode"
_LIMITS = "/v1/limits"
_SANCTIONS = "/v1/accounts/{id}/sanctions"

_QUESTION = {"kind": "dm", "sender": "stranger", "text": "you are worthless", "target": "streamer"}

OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        "protection.engage",
        "PUT",
        _PROTECTION,
        protections.engage,
        bodies.ProtectionBody,
        answers.TimedChange,
        examples=(
            {"preset": "one-key", "duration": "7d"},
            {"kinds": ["dm", "mention"], "duration": "12h"},
        ),
    ),
    Operation("protection.read", "GET", _PROTECTION, protections.read, bodies.Nothing, answers.ProtectionAnswer),
    Operation("protection.release", "DELETE", _PROTECTION, protections.release, bodies.Nothing, Applied),
    Operation(
        "link.make",
        "POST",
        "/v1/users/{id}/protection/link",
        links.make,
        bodies.LinkBody,
        answers.LinkAnswer,
        examples=({"duration": "7d", "expires": "24h", "tell": True},),
    ),
    Operation(
        "blocklist.set",
        "PUT",
        _BLOCKLIST,
        blocklists.put,
        bodies.BlocklistBody,
        Applied,
        max_body=256 * KIB,
        examples=({"words": ["胖", "my ex"]}, {"users": ["troll"], "classes": ["sexual"], "hide": ["users"]}),
    ),
    Operation("blocklist.read", "GET", _BLOCKLIST, blocklists.read, bodies.Nothing, answers.BlocklistAnswer),
    Operation("blocklist.clear", "DELETE", _BLOCKLIST, blocklists.clear, bodies.Nothing, Applied),
    Operation(
        "dm-rules.set",
        "PUT",
        _DM_RULES,
        dm_rules.put,
        bodies.DmRulesBody,
        Applied,
        examples=(
            {"per_stranger": "2/h", "strangers": "20/d", "until_reply": True},
            {"scope": "friends", "quiet": {"start": "22:00", "end": "07:00", "zone": "Asia/Shanghai"}},
            {"scope": "older-than", "older_than_days": 30, "action": "hide"},
        ),
    ),
    Operation("dm-rules.read", "GET", _DM_RULES, dm_rules.read, bodies.Nothing, answers.DmRulesAnswer),
    Operation("dm-rules.clear", "DELETE", _DM_RULES, dm_rules.clear, bodies.Nothing, Applied),
    Operation(
        "account.tell",
        "PUT",
        _ACCOUNT,
        accounts.put,
        bodies.AccountBody,
        Applied,
        examples=({"created": 1_700_000_000, "verified": True}, {"birth": "2012-03-01"}, {"minor": True}),
    ),
    Operation("account.read", "GET", _ACCOUNT, accounts.read, bodies.Nothing, answers.AccountAnswer),
    Operation("account.forget", "DELETE", _ACCOUNT, accounts.forget, bodies.Nothing, Applied),
    Operation(
        "circle.change",
        "POST",
        _CIRCLE,
        circles.change,
        bodies.CircleBody,
        answers.CircleChange,
        feed=bodies.FeedLine,
        max_body=4 * 1024 * KIB,
        examples=(
            {"add": ["friend", "sister"], "remove": ["former-friend"]},
            {"kind": "follows", "add": ["somebody"]},
        ),
    ),
    Operation("circle.trust", "PUT", _TRUST, circles.trust, bodies.TieBody, Applied, examples=({"kind": "friends"},)),
    Operation("circle.read", "GET", _TRUST, circles.is_trusted, bodies.Nothing, answers.TrustAnswer),
    Operation("circle.distrust", "DELETE", _TRUST, circles.distrust, bodies.Nothing, Applied),
    Operation(
        "room.own",
        "PUT",
        _ROOM,
        rooms.own,
        bodies.RoomBody,
        Applied,
        examples=({"owner": "streamer"},),
    ),
    Operation("room.read", "GET", _ROOM, rooms.read, bodies.Nothing, answers.RoomAnswer),
    Operation(
        "mode.set",
        "PUT",
        _MODE,
        rooms.set_mode,
        bodies.ModeBody,
        answers.TimedChange,
        examples=(
            {"mode": "slow", "duration": "10m", "slow_s": 5},
            {"mode": "shut"},
        ),
    ),
    Operation("mode.read", "GET", _MODE, rooms.read_mode, bodies.Nothing, answers.ModeAnswer),
    Operation("mode.clear", "DELETE", _MODE, rooms.clear_mode, bodies.Nothing, Applied),
    Operation(
        "sanction.impose",
        "PUT",
        _SANCTIONS,
        sanctions.impose,
        bodies.SanctionBody,
        answers.TimedChange,
        examples=(
            {"measure": "mute", "duration": "1h", "reason": "repeated insults"},
            {"measure": "close", "duration": "366d", "reason": "incitement, again"},
        ),
    ),
    Operation("sanction.read", "GET", _SANCTIONS, sanctions.read, bodies.Nothing, answers.SanctionsAnswer),
    Operation("sanction.lift", "DELETE", _SANCTIONS, sanctions.lift, bodies.LiftQuery, Applied),
    Operation(
        "limits.set",
        "PUT",
        _LIMITS,
        limits.put,
        bodies.LimitsBody,
        Applied,
        examples=({"flood": "20/10s", "strangers_reached": "30/h"},),
    ),
    Operation("limits.read", "GET", _LIMITS, limits.read, bodies.Nothing, answers.LimitsAnswer),
    Operation("limits.clear", "DELETE", _LIMITS, limits.clear, bodies.Nothing, Applied),
    Operation("case.list", "GET", "/v1/cases", cases.read, bodies.CasesQuery, answers.CasesAnswer),
    Operation(
        "verdict.ask",
        "POST",
        "/v1/verdicts",
        verdicts.ask,
        bodies.Question,
        answers.VerdictAnswer,
        batch=bodies.Questions,
        batch_answer=answers.VerdictsAnswer,
        max_body=1024 * KIB,
        examples=(_QUESTION, {"events": [_QUESTION]}),
    ),
)
