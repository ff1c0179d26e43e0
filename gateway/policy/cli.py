"""`shieldwire policy check | apply | rollback | status`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

FAULTY = 1
"""Exit status: the files have faults, or the change is not in force everywhere."""
USAGE_ERROR = 2
NICENESS = 10
"""Compiling gives way to the gateway's workers, where it runs on their machine."""


def register(commands: Any) -> None:
    """Add the command to the subparsers of `shieldwire`."""
    policy = commands.add_parser(
        "policy", help="check word lists and thresholds, and change those of a running gateway"
    )
    actions = policy.add_subparsers(required=True, metavar="ACTION")
    files = {"nargs": "*", "metavar": "FILE", "help": 'lexicon files; "shipped" stands for those in the package'}
    thresholds: Any = {"type": Path, "metavar": "FILE.toml", "help": "a file of thresholds for the content model"}
    accept = "take the lists although lines of the sample bank are judged otherwise by them"

    check = actions.add_parser("check", help="say every fault of word lists and thresholds; status 1 if there is one")
    check.add_argument("files", **files)
    check.add_argument("--accept-flips", action="store_true", help=accept)
    check.add_argument("--thresholds", **thresholds)
    check.set_defaults(run=_check)

    apply = actions.add_parser(
        "apply", help="put word lists and thresholds in force on every worker of the running gateway"
    )
    apply.add_argument("files", **files)
    apply.add_argument("--accept-flips", action="store_true", help=accept)
    apply.add_argument("--thresholds", **thresholds)
    apply.set_defaults(run=_apply)

    rollback = actions.add_parser("rollback", help="put former word lists in force again")
    rollback.add_argument("--to", type=int, metavar="REVISION", help="which; without it, those before the present ones")
    rollback.set_defaults(run=_rollback)

    status = actions.add_parser("status", help="say which revision is in force, and on how many workers")
    status.set_defaults(run=_status)
    for action in (check, apply, rollback, status):
        action.add_argument("--config", type=Path, help="the shieldwire.toml that the gateway was started with")


def _check(options: argparse.Namespace) -> int:
    return 0 if _compiled(options) else FAULTY


def _apply(options: argparse.Namespace) -> int:
    compiled = _compiled(options)
    return FAULTY if compiled is None else _publish(options, lambda publisher: publisher.publish(compiled))


def _rollback(options: argparse.Namespace) -> int:
    return _publish(options, lambda publisher: publisher.roll_back(options.to))


def _status(options: argparse.Namespace) -> int:
    return _publish(options, lambda publisher: publisher.status())


def _compiled(options: argparse.Namespace) -> Any:
    """The compiled lists and thresholds; None when they have faults, which are told."""
    from gateway.policy.compiling import Rejected, compile_files
    from gateway.policy.thresholds import read_thresholds
    from gateway.settings import load_settings
    from protection.policy import PolicyError

    settings = load_settings(options.config, os.environ).policy
    os.nice(NICENESS)
    gc.disable()  # a long list makes millions of objects and no cycles: looking for some takes a fifth of the time
    started = time.perf_counter()
    try:
        policy = settings.build()
        if options.thresholds:
            policy = msgspec.structs.replace(policy, sensitivity=read_thresholds(options.thresholds))
        compiled = compile_files(options.files or settings.lexicon, options.accept_flips, policy)
    except (Rejected, PolicyError) as error:
        faults = str(error)
        sys.stderr.write(f"{faults}\n{len(faults.splitlines())} fault(s); nothing has changed\n")
        return None
    facts, seconds = compiled.facts, time.perf_counter() - started
    sys.stdout.write(f"OK: {facts.terms:,} terms, {facts.phrases:,} harmless phrases, compiled in {seconds:.1f} s\n")
    return compiled


def _publish(options: argparse.Namespace, action: Callable[[Any], Awaitable[Any]]) -> int:
    from gateway.policy.publishing import NoSuchRevision, Published, open_publisher
    from gateway.settings import load_settings
    from gateway.state.errors import StateError

    settings = load_settings(options.config, os.environ)

    async def run() -> Published:
        async with open_publisher(settings.state) as publisher:
            published: Published = await action(publisher)
            return published

    try:
        published = asyncio.run(run())
    except (StateError, NoSuchRevision) as error:
        sys.stderr.write(f"shieldwire: {error}\n")
        return USAGE_ERROR
    revision = published.revision
    since = f" of {datetime.fromtimestamp(revision.at, UTC):%Y-%m-%d %H:%M:%S} UTC" if revision.at else ""
    terms = f" ({revision.terms:,} terms)" if revision.digest else " (the lists that the gateway was started with)"
    places = f"in force on {published.in_force} of {published.of} workers"
    durable = "" if published.durable else "; the store cannot say whether it is on its disk"
    sys.stdout.write(f"revision {revision.number}{since}{terms}: {places}{durable}\n")
    return 0 if published.in_force == published.of else FAULTY
