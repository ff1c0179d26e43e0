"""Metrics and logs. Neither ever carries message text, account ids or room ids."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("shieldwire_messages", "Judged messages by kind and disposition", ["kind", "disposition"])
SIGNALS = Counter("shieldwire_signals", "Signals raised, by stage and reason", ["stage", "reason"])
MALFORMED = Counter("shieldwire_malformed", "Messages that could not be judged, by reason", ["reason"])
DECISION_SECONDS = Histogram(
    "shieldwire_decision_seconds",
    "Time from decoded message to verdict",
    buckets=(50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1.0),
)
CONNECTIONS = Gauge("shieldwire_connections", "Open WebSocket connections", multiprocess_mode="livesum")
UPSTREAM_FAILURES = Counter("shieldwire_upstream_failures", "Failed upstream connections", ["stage"])
STALE_DECISIONS = Counter("shieldwire_stale_decisions", "Messages judged on a replica past its staleness deadline")
TEXT_REVISION = Gauge("shieldwire_text_revision", "Revision of the text data in force", multiprocess_mode="livemin")
INCIDENTS = Counter("shieldwire_incidents", "Incidents handed to moderation", ["fate"])

STORE = Counter("shieldwire_store", "What happened between this worker and the store", ["event"])

BROADCASTS = Counter("shieldwire_broadcasts", "Frames judged for protected viewers, once a worker", ["outcome"])
WITHHELD = Counter("shieldwire_withheld", "Frames withheld from protected viewers, by reason", ["reason"])

_OBSERVE_S = 1.0


async def observe(counters: Callable[[], Mapping[str, int]]) -> None:
    """Carry counts that are kept elsewhere over into `STORE`, until cancelled."""
    told: dict[str, int] = {}
    while True:
        now = counters()
        for event, count in now.items():
            STORE.labels(event).inc(count - told.get(event, 0))
        told = dict(now)
        await asyncio.sleep(_OBSERVE_S)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, event, and the fields given as ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(level: str = "INFO") -> None:
    """Send all logs to standard error as JSON lines."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[output], force=True)
    logging.getLogger("uvicorn.access").disabled = True
    # Below a warning, uvicorn logs the address of every socket, with the token or account in its query.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("websockets").setLevel(logging.WARNING)
