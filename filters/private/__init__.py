"""Private data in texts: what reaches, identifies or locates a person, found by its own check digits and shapes."""

from __future__ import annotations

from filters.private.finder import SEVERITY, find
from filters.private.symbols import THRESHOLD, TRIGGERS, needs_look, weight_table

__all__ = ["SEVERITY", "THRESHOLD", "TRIGGERS", "find", "needs_look", "weight_table"]
