"""One-click links, made for a person by the platform or a moderator (requirements P1, P2)."""

from __future__ import annotations

from urllib.parse import urlencode

from gateway.api import one_click
from gateway.api.answers import LinkAnswer
from gateway.api.bodies import LinkBody
from gateway.api.durations import seconds
from gateway.api.operation import Call
from gateway.links import Link
from protection.notices import Notice, Topic


async def make(call: Call[LinkBody]) -> LinkAnswer:
    """Make a link with which a person protects themselves, once; ``tell`` also sends it to their open sockets."""
    wanted, state, person = call.input, call.gate.state, call.ids["id"]
    now = state.now()
    expires = now + seconds(wanted.expires, "expires")
    token = (await one_click.links_of(call.gate)).sign(Link(person, wanted.preset, seconds(wanted.duration), expires))
    base = call.gate.settings.api.public_url.rstrip("/")
    link = f"{base}/shieldwire{one_click.PATH}?{urlencode({one_click.PARAMETER: token})}"
    told = await state.tell(person, Notice(Topic.PROTECT, now, link, expires)) if wanted.tell else None
    return LinkAnswer(link, expires, told)
