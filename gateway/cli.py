"""The command line: `shieldwire serve`, `demo`, `check`, `policy`, `eval`, `train`, `bank` and `bench`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench import cli as bench
from gateway import bank, training
from gateway.evaluate import cli as evaluate
from gateway.policy import cli as policy
from gateway.settings import SettingsError, load_settings
from gateway.warm_start import keep_machine_code

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the operator are one line on standard error and status 2."""
    options = _parser().parse_args(arguments)
    keep_machine_code()
    try:
        status: int = options.run(options)
    except SettingsError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shieldwire", description="A gateway that stands between a crowd and a person."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the gateway")
    serve.add_argument("--config", type=Path, help="shieldwire.toml; every key can also come from the environment")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--workers", type=int)
    serve.add_argument("--lane", choices=("fast", "portable"), help="how WebSocket traffic is carried (default: fast)")
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="run the gateway in front of a small live platform, with web pages")
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=int, default=8080)
    demo.add_argument("--data-dir", type=Path, default=Path("shieldwire-data/demo"))
    demo.add_argument("--replay", type=Path, metavar="FILE.csv", help="send labelled comments as barrages and count")
    demo.set_defaults(run=_demo)

    check = commands.add_parser("check", help="judge texts by their words alone; one JSON verdict per line")
    check.add_argument("text", nargs="?", default="-", help="one text; - reads one text per line from standard input")
    check.set_defaults(run=_check)

    policy.register(commands)
    evaluate.register(commands)
    training.register(commands)
    bank.register(commands)
    bench.register(commands)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from gateway.serve import ServeError, serve
    from gateway.state.errors import StateError

    overrides = {name: getattr(options, name) for name in ("host", "port", "workers", "lane")}
    settings = load_settings(options.config, os.environ)
    server = msgspec.structs.replace(settings.server, **{k: v for k, v in overrides.items() if v is not None})
    try:
        serve(options.config, msgspec.structs.replace(settings, server=server).check())
    except (ServeError, StateError) as error:
        return _fail(error)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from gateway.demo.run import main as run_demo

    return run_demo(options.host, options.port, options.data_dir, options.replay)


def _check(options: argparse.Namespace) -> int:
    """Judge by the words alone: a nameless sender, nobody protected, the shipped policy."""
    from gateway.api.answers import VerdictAnswer
    from protection.events import Event, Kind
    from protection.rules import Rules
    from protection.snapshot import Snapshot

    rules = Rules.shipped()
    rules.reader.warm_up()
    for text in _texts(options.text):
        started = time.perf_counter()
        verdict = rules.judge(Event(Kind.CHAT, "", text), Snapshot(now=0.0))
        us = (time.perf_counter() - started) * 1e6
        sys.stdout.write(msgspec.json.encode(VerdictAnswer.of(rules.explained(text, verdict), us)).decode() + "\n")
    return 0


def _texts(argument: str) -> Iterator[str]:
    if argument != "-":
        yield argument
        return
    for line in sys.stdin:
        yield line.rstrip("\n")


def _fail(error: Exception) -> int:
    sys.stderr.write(f"shieldwire: {error}\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
