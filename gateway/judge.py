"""One message, judged: state is loaded, the text scanned, the decision made, moderation told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from filters.stitching import Stitcher
from gateway import telemetry
from gateway.codecs import Codec, MessageError, RequestFields
from gateway.enforce import Enforcement, NudgeTokens, enforce, refuse_malformed
from gateway.escalate import Escalation
from gateway.replies import Language
from protection.cases import incidents_of
from protection.events import Event
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition, Verdict

JudgePayload = Callable[[str | bytes], Awaitable[Enforcement]]
"""Judges one payload of one connection: `Judge.judge` with all but the payload given."""


class Loader(Protocol):
    """Takes the state that one decision sees (`gateway.state.state.State`)."""

    async def load(self, event: Event) -> Snapshot:
        """One snapshot, with at most one round trip to the store."""

    def now(self) -> float:
        """The store's clock, unix seconds."""


class Judge:
    """Judges the messages of every connection of this worker."""

    def __init__(
        self,
        state: Loader,
        rules: Callable[[], Rules],
        nudges: NudgeTokens,
        escalation: Escalation,
        max_message: int,
    ) -> None:
        self._state = state
        self._rules = rules
        self._nudges = nudges
        self._escalation = escalation
        self._max_message = max_message
        self._stitcher = Stitcher()

    async def judge(
        self, payload: str | bytes, codec: Codec, request: RequestFields, language: Language, token: str = ""
    ) -> Enforcement:
        """Decode one payload, decide on it, and say what is to happen; never raises for what a client sent.

        ``token`` is that of a nudge, where the request carries it outside the payload.
        """
        try:
            text = self._checked(payload)
            message = codec.decode(text, request)
        except MessageError as error:
            telemetry.MALFORMED.labels(error.reason).inc()
            return refuse_malformed(error, language)
        if message is None:
            return Enforcement(text)
        event = self._marked_if_insisted(message.event, token or message.token)
        verdict, now = await self._decide(event)
        nudge = self._nudges.issue(event, now) if verdict.without_hiding().disposition is Disposition.NUDGE else ""
        return enforce(verdict, message, text, codec, language, nudge)

    def rules(self) -> Rules:
        """How texts are read and judged now."""
        return self._rules()

    def note_passed(self, event: Event, count: int) -> None:
        """So many messages like this one have passed without being judged here: long ones, with nothing in them."""
        self._stitcher.end(sender=event.sender, room=event.room, target=event.target)
        telemetry.MESSAGES.labels(event.kind.value, Disposition.ALLOW.word).inc(count)

    def _checked(self, payload: str | bytes) -> str:
        if isinstance(payload, bytes):
            raise MessageError("binary-frame", "messages on this route are text")
        # Bytes count, but most messages are short enough that nobody needs to count them.
        if len(payload) * 4 > self._max_message and len(payload.encode()) > self._max_message:
            raise MessageError("too-large", f"a message may have {self._max_message} bytes")
        return payload

    def _marked_if_insisted(self, event: Event, token: str) -> Event:
        if token and self._nudges.accepts(token, event, self._state.now()):
            return msgspec.structs.replace(event, insisted=True)
        return event

    async def _decide(self, event: Event) -> tuple[Verdict, float]:
        started = time.perf_counter()
        snapshot = await self._state.load(event)
        rules = self._rules()  # once: a swap while a message is judged is for the next one
        stitched = self._stitcher.feed(
            rules.reader,
            event.text,
            snapshot.now,
            sender=event.sender,
            room=event.room,
            target=event.target,
            message=event.id,
        )
        verdict = rules.judge(event, snapshot, stitched)
        telemetry.DECISION_SECONDS.observe(time.perf_counter() - started)
        telemetry.MESSAGES.labels(event.kind.value, verdict.disposition.word).inc()
        for signal in verdict.signals:
            telemetry.SIGNALS.labels(signal.stage, signal.reason).inc()
        if not snapshot.fresh:
            telemetry.STALE_DECISIONS.inc()
        owner = snapshot.room.owner if snapshot.room else ""
        # The evidence of words sent piece by piece is what the messages say together.
        told = msgspec.structs.replace(event, text=stitched[0].text) if stitched else event
        for incident in incidents_of(told, verdict, owner, snapshot.now):
            self._escalation.offer(incident)
        return verdict, snapshot.now
