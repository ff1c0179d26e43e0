"""What a bench prints: metrics, and how they stand to the budgets of ``budgets.toml``."""

from __future__ import annotations

import operator
import os
import platform
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

_OPERATORS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


class BenchError(Exception):
    """A bench that cannot run here; the message says what the operator can do about it."""


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a metric may be: one line of ``budgets.toml``."""

    op: Literal["<=", ">=", "=="]
    goal: float


class Outcome(msgspec.Struct, frozen=True):
    """How one metric stands to its budget."""

    metric: str
    op: str
    goal: float
    value: float
    ok: bool


class Report(msgspec.Struct, frozen=True):
    """The result of one bench. As JSON it is what ``shieldwire bench NAME --json`` prints."""

    bench: str
    machine: str
    metrics: dict[str, float]
    budgets: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        """Whether every budget is kept."""
        return all(outcome.ok for outcome in self.budgets)

    def table(self) -> str:
        """The report for people: a line per metric, with its budget where it has one."""
        verdicts = {outcome.metric: outcome for outcome in self.budgets}
        width = max(map(len, self.metrics))
        lines = [f"{self.bench} on {self.machine}", ""]
        for name, value in self.metrics.items():
            outcome = verdicts.get(name)
            goal = f"  {outcome.op} {outcome.goal:g}  {'ok' if outcome.ok else 'MISSED'}" if outcome else ""
            lines.append(f"{name:<{width}}  {value:>10.4g}{goal}")
        return "\n".join(lines)


def report(bench: str, metrics: Mapping[str, float | None], budgets: Mapping[str, Budget]) -> Report:
    """Hold metrics against budgets. Raises ``BenchError`` for a budget on something that the bench does not measure.

    A metric that is None cannot be measured on this machine: it is left out, and its budget with it.
    """
    unmeasured = budgets.keys() - metrics.keys()
    if unmeasured:
        raise BenchError(f"budgets.toml, [{bench}]: no such metric: {', '.join(sorted(unmeasured))}")
    rounded = {name: round(value, 4) for name, value in metrics.items() if value is not None}
    outcomes = tuple(
        Outcome(name, budget.op, budget.goal, rounded[name], _OPERATORS[budget.op](rounded[name], budget.goal))
        for name, budget in budgets.items()
        if name in rounded
    )
    return Report(bench, machine(), rounded, outcomes)


def budgets_of(bench: str) -> dict[str, Budget]:
    """The budgets of one bench, by metric. Raises ``BenchError`` where the file is not as described in it."""
    content = (resources.files("bench") / "budgets.toml").read_text(encoding="utf-8")
    return parse_budgets(content).get(bench, {})


def parse_budgets(content: str) -> dict[str, dict[str, Budget]]:
    """Read ``budgets.toml``: budgets by bench and metric. Raises ``BenchError``."""
    try:
        return msgspec.convert(tomllib.loads(content), dict[str, dict[str, Budget]])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BenchError(f"budgets.toml: {error}") from error


def machine() -> str:
    """What the figures were measured on, in one line."""
    cpu = _cpu_model() or platform.machine()
    return (
        f"{platform.system()}, {os.cpu_count()} x {cpu}, {platform.python_implementation()} {platform.python_version()}"
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
