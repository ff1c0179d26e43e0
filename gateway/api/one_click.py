"""The page behind a one-click link (requirements P1, P2): GET shows what it would do, POST does it, once.

Nobody signs in here: the link's signature is the proof. Mail programs and messengers open links to look at them, so
opening one changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from gateway.api.answers import TimedChange
from gateway.api.faults import ApiError, json_answer, refusal
from gateway.api.gate import Gate
from gateway.links import Link, LinkError, LinkFault, Links
from gateway.state.changes import AlreadyDone, Once
from gateway.state.errors import StoreUnavailable
from protection.protections import PRESETS, Protection

PATH = "/one-click"
PARAMETER = "token"
HTML = "text/html"

_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No cache keeps the page, no other page frames it, and the link is told to nobody."""

_TITLE = ("一键防护", "One-key protection")
_ASK = (
    "按下后，将在 {length} 内屏蔽陌生人发给 {person} 的私信、评论、转发、@和弹幕。此链接只能使用一次。",
    "Press to close {person}'s direct messages, comments, forwards, mentions and barrages to strangers for {length}. "
    "This link works once.",
)
_PRESS = ("开启防护", "Protect me")
_DONE = (
    "防护已开启。可随时在平台设置中关闭或延长。",
    "You are protected. End or extend it in the platform's settings.",
)
_FAULTS: dict[str, tuple[int, tuple[str, str]]] = {
    LinkFault.INVALID: (
        400,
        ("此链接无效。请从平台重新获取。", "This is no valid link. Ask the platform for a new one."),
    ),
    LinkFault.EXPIRED: (
        410,
        ("此链接已过期。请从平台重新获取。", "This link has expired. Ask the platform for a new one."),
    ),
    LinkFault.USED: (
        410,
        ("此链接已使用过，没有再次更改设置。", "This link has been used; nothing was changed again."),
    ),
    "store-unavailable": (503, ("服务暂不可用，请稍后再试。", "Not possible right now; try again in a moment.")),
}

Endpoint = Callable[[Gate, Request], Awaitable[Response]]


async def links_of(gate: Gate) -> Links:
    """What signs and reads links, with the key of this store; raises `StoreUnavailable`."""
    return Links(await gate.state.secret("one-click"))


async def show(gate: Gate, request: Request) -> Response:
    """What a one-click link would do; changes nothing."""
    return await _answered(gate, request, _look)


async def press(gate: Gate, request: Request) -> Response:
    """Engage the protection of a one-click link; works once, on whichever worker."""
    return await _answered(gate, request, _engage)


async def _look(gate: Gate, request: Request, link: Link) -> Response:
    if await gate.state.is_done(link.person, link.name):
        raise LinkError(LinkFault.USED)
    length = _length(link.duration_s)
    ask = tuple(words.format(length=said, person=link.person) for words, said in zip(_ASK, length, strict=True))
    return _page(200, ask, button=True)


async def _engage(gate: Gate, request: Request, link: Link) -> Response:
    state = gate.state
    protection = Protection.lasting(PRESETS[link.preset], state.now(), link.duration_s, link.preset)
    once = Once(link.name, link.expires - state.now())
    try:
        applied = await state.engage(link.person, protection, once)
    except AlreadyDone as error:
        raise LinkError(LinkFault.USED) from error
    if HTML in request.headers.get("accept", ""):
        return _page(200, _DONE)
    return json_answer(TimedChange.ending(applied, protection.until))


async def _answered(
    gate: Gate, request: Request, act: Callable[[Gate, Request, Link], Awaitable[Response]]
) -> Response:
    """Read the link and act on it; a page for who looks with a browser, JSON for programs."""
    try:
        if not gate.state.status().loaded:
            raise StoreUnavailable("nothing is known yet")
        links = await links_of(gate)
        return await act(gate, request, links.read(request.query_params.get(PARAMETER, ""), gate.state.now()))
    except LinkError as error:
        fault: str = error.fault
    except StoreUnavailable:
        fault = "store-unavailable"
    status, words = _FAULTS[fault]
    if HTML in request.headers.get("accept", ""):
        return _page(status, words)
    code = fault if fault == "store-unavailable" else f"link-{fault}"
    return refusal(ApiError(status, code, words[1]))


def _page(status: int, words: tuple[str, ...], button: bool = False) -> Response:
    """A page in both languages; the form posts to the page's own address."""
    paragraphs = "".join(
        f'<p lang="{language}">{escape(text)}</p>' for language, text in zip(("zh", "en"), words, strict=True)
    )
    form = f'<form method="post"><button>{" / ".join(_PRESS)}</button></form>' if button else ""
    title = " / ".join(_TITLE)
    body = (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:3rem auto;"
        "padding:0 1rem}button{font:inherit;padding:.8rem 1.6rem}</style></head>"
        f"<body><h1>{title}</h1>{paragraphs}{form}</body></html>"
    )
    return Response(body, status, _SAFE, media_type=HTML)


def _length(seconds: int) -> tuple[str, str]:
    """A duration in both languages, in the largest unit that goes into it."""
    for unit_s, chinese, english in ((86_400, "天", "day"), (3_600, "小时", "hour"), (60, "分钟", "minute")):
        if seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {chinese}", f"{count} {english}{'s' if count != 1 else ''}"
    return f"{seconds} 秒", f"{seconds} seconds"
