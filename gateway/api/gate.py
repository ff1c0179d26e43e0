"""What the control API needs of the gateway it is part of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from gateway.settings import Settings
from gateway.state.state import State
from protection.rules import Rules


class Gate(Protocol):
    """The running gateway, as the control API sees it."""

    @property
    def settings(self) -> Settings:
        """The settings it was started with."""

    @property
    def state(self) -> State:
        """The shared state: changes are written to it, and answers read from it."""

    @property
    def draining(self) -> asyncio.Event:
        """Set when a graceful shutdown begins: streams that would never end by themselves end then."""

    def rules(self) -> Rules:
        """How texts are read and judged now."""

    def ready(self) -> Sequence[str]:
        """What is not ready yet, in words for the operator; empty when traffic may come."""

    def degraded(self) -> Sequence[str]:
        """What works only in part at the moment, in words for the operator."""
