"""From a Verdict to what happens on this connection. Pure: the wire carries the Enforcement out.

The same Enforcement serves a socket (its replies are frames) and an HTTP request (its first reply is the body, its
status the answer's).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

from gateway.codecs import Codec, Message, MessageError
from gateway.replies import Language, reply, support_notice
from gateway.routes import Hiding
from gateway.stand_in import StandIn
from protection.downlink import can_withhold
from protection.events import Event
from protection.verdicts import Disposition, Verdict

NUDGE_LIFE_S = 600
"""How long the token of a nudge lets the same words through."""

_LIMITED = 429
_STATUS = {Disposition.NUDGE: 409, Disposition.REJECT: 403, Disposition.DISCONNECT: 403}


class Enforcement(msgspec.Struct, frozen=True):
    """What to forward (None: nothing), what to tell the sender, and whether to end the connection."""

    forward: str | None
    replies: tuple[dict[str, Any], ...] = ()
    status: int = 200
    """The HTTP status where nothing is forwarded."""
    retry_after: float = 0.0
    disconnect: bool = False
    stand_in: StandIn | None = None
    """What the sender is sent in the platform's name, where the message looks delivered and is not forwarded."""


class NudgeTokens:
    """Stateless tokens that prove that a sender has been reminded of exactly these words (requirement D1)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, event: Event, now: float) -> str:
        """A token for these words by this sender at this target, good for `NUDGE_LIFE_S`."""
        expires = int(now) + NUDGE_LIFE_S
        return f"{expires}.{self._digest(event, expires)}"

    def accepts(self, token: str, event: Event, now: float) -> bool:
        """Whether ``token`` was issued for this event's words and has not expired."""
        expires, _, digest = token.partition(".")
        if not (expires.isascii() and expires.isdigit()) or len(expires) > 12 or int(expires) < now:
            return False
        return hmac.compare_digest(digest.encode(errors="replace"), self._digest(event, int(expires)).encode())

    def _digest(self, event: Event, expires: int) -> str:
        said = (expires, event.kind, event.sender, event.target, event.room, event.mentions, event.text)
        return hmac.new(self._key, msgspec.json.encode(said), hashlib.sha256).hexdigest()[:32]


def enforce(
    verdict: Verdict, message: Message, payload: str, codec: Codec, language: Language, token: str
) -> Enforcement:
    """Carry one verdict out. ``token`` is a fresh nudge token, used only when the sender is to be nudged.

    A hidden message (requirement S1) is to its sender whatever it would be if nobody hid it. Where the route has no way
    to hide it, it is refused.
    """
    if verdict.disposition is not Disposition.HIDE:
        return _enforce_openly(verdict, message, payload, codec, language, token)
    hiding = codec.route.hiding
    if hiding is Hiding.REJECT or (hiding is Hiding.FORWARD and not can_withhold(verdict)):
        refused = msgspec.structs.replace(verdict, disposition=Disposition.REJECT)
        return _enforce_openly(refused, message, payload, codec, language, token)
    shown = verdict.without_hiding()
    outcome = _enforce_openly(shown, message, payload, codec, language, token)
    if hiding is Hiding.FORWARD or outcome.forward is None:
        return outcome
    assert codec.route.hide is not None
    text = shown.text if shown.disposition is Disposition.MASK else message.event.text
    said = msgspec.structs.replace(message, event=msgspec.structs.replace(message.event, text=text))
    stand_in = StandIn(codec.route.hide, said, outcome.forward, plain=codec.route.codec == "text")
    return msgspec.structs.replace(outcome, forward=None, stand_in=stand_in)


def _enforce_openly(
    verdict: Verdict, message: Message, payload: str, codec: Codec, language: Language, token: str
) -> Enforcement:
    support = (support_notice(language),) if verdict.support else ()
    disposition = verdict.disposition
    if disposition is Disposition.ALLOW:
        # Only a message that carried a token is touched: the platform did not ask for that field.
        return Enforcement(codec.without_token(payload) if message.token else payload, support)
    told = reply(
        language,
        disposition.word,
        verdict.reason,
        message.id,
        verdict.retry_after,
        token if disposition is Disposition.NUDGE else "",
    )
    if disposition is Disposition.MASK:
        masked = codec.with_text(codec.without_token(payload) if message.token else payload, verdict.text)
        return Enforcement(masked, (told, *support))
    limited = verdict.retry_after > 0 and any(
        signal.stage == "rate" and signal.reason == verdict.reason for signal in verdict.signals
    )
    return Enforcement(
        forward=None,
        replies=(told, *support),
        status=_LIMITED if limited else _STATUS[disposition],
        retry_after=verdict.retry_after,
        disconnect=disposition is Disposition.DISCONNECT,
    )


def refuse_malformed(error: MessageError, language: Language) -> Enforcement:
    """Tell the sender of a message that cannot be judged what is wrong with it."""
    status = {"unauthenticated": 401, "too-large": 413, "unsupported-media-type": 415}.get(error.reason, 400)
    return Enforcement(None, (reply(language, "reject", error.reason, error.id, detail=str(error)),), status)
