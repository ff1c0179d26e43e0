"""One operation of the control API: where it is, what it reads, what it answers, and the function that does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.api.bodies import Input
from gateway.api.gate import Gate
from gateway.api.rights import Caller

KIB = 1 << 10

AnInput = TypeVar("AnInput", bound=Input)


@dataclass(frozen=True)
class Call(Generic[AnInput]):
    """One authorised call: who makes it, with which ids from the path, and the input, decoded and checked."""

    gate: Gate
    caller: Caller
    ids: dict[str, str]
    input: AnInput
    feed: AsyncIterator[list[Any]] | None = None
    """Instead of the input, where the body is a list or NDJSON: its entries as they come, some at a time."""
    accept: str = ""
    """The ``Accept`` header, for the one operation that can answer in two forms."""


@dataclass(frozen=True)
class Operation(Generic[AnInput]):
    """A row of the table: an operation on something, found by its method and path."""

    name: str
    """Its key in `rights.RIGHTS`: a noun and a verb, with a dot between."""
    method: str
    path: str
    run: Callable[[Call[AnInput]], Awaitable[object]]
    """Answers a struct, which goes out as JSON, or a whole response. The first line of its docstring is the summary."""
    input: type[AnInput]
    answer: type
    batch: type[AnInput] | None = None
    """Read instead of ``input`` where the body has the field ``events``; ``batch_answer`` is answered then."""
    batch_answer: type | None = None
    feed: Any = None
    """The type of one entry, where the body may also be a JSON list of entries or, of any length, NDJSON."""
    max_body: int = 64 * KIB
    examples: tuple[dict[str, Any], ...] = ()
    """Bodies as callers write them, for the OpenAPI document."""

    @property
    def inputs(self) -> list[type[AnInput]]:
        """The forms its input may have."""
        return [self.input] if self.batch is None else [self.input, self.batch]

    @property
    def answers(self) -> list[type]:
        """The forms its answer may have."""
        return [self.answer] if self.batch_answer is None else [self.answer, self.batch_answer]

    @property
    def noun(self) -> str:
        """What it is about: the tag in the OpenAPI document and the noun in the log."""
        return self.name.partition(".")[0]

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return (self.run.__doc__ or "").partition("\n")[0]

    @property
    def reads_body(self) -> bool:
        """Whether the input is a JSON body; otherwise it is the query string."""
        return self.method in ("PUT", "POST")

    @property
    def changes(self) -> bool:
        """Whether it changes what is in force: such calls are logged."""
        return not self.name.endswith((".read", ".list", ".ask"))
