"""Labelled text through real sockets: every row has the fate that the decision gives it, and none is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import filters.data
from gateway.demo.replay import read_rows
from protection.events import Event, Kind
from protection.rules import Rules
from protection.snapshot import Snapshot
from protection.verdicts import Disposition

GIVEN = os.environ.get("SHIELDWIRE_REPLAY_FILE", "")
SAMPLES = Path(filters.data.__file__).with_name("samples.csv")
FATES = ("passed", "masked", "nudged", "refused", "lost")
FATE_OF = {
    Disposition.ALLOW: "passed",
    Disposition.NUDGE: "nudged",
    Disposition.MASK: "masked",
    Disposition.REJECT: "refused",
}


def foretold(file: Path) -> dict[str, Counter[str]]:
    """The fates by label, as the decision alone gives them."""
    rules = Rules.shipped()
    fates: dict[str, Counter[str]] = {"all": Counter()}
    for row in read_rows(file):
        event = Event(Kind.BARRAGE, "somebody", row.text)
        fate = FATE_OF[rules.judge(event, Snapshot(now=0.0)).disposition]
        fates.setdefault(row.label, Counter())[fate] += 1
        fates["all"][fate] += 1
    return fates


def printed(output: str) -> dict[str, Counter[str]]:
    """The table that the replay prints: label, rows, then one column per fate."""
    lines = re.findall(r"^(\S+)" + r"\s+([\d,]+)" * (1 + len(FATES)) + r"$", output, re.MULTILINE)
    return {
        label: Counter({fate: int(count.replace(",", "")) for fate, count in zip(FATES, counts, strict=True)})
        for label, _, *counts in lines
    }


@pytest.mark.req("W2", "W3", "S3")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "file",
    [
        pytest.param(SAMPLES, id="samples"),
        pytest.param(
            Path(GIVEN or "none"),
            id="given",
            marks=pytest.mark.skipif(not GIVEN, reason="SHIELDWIRE_REPLAY_FILE names no file"),
        ),
    ],
)
def test_every_row_of_a_replay_has_the_fate_that_the_decision_gives_it(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0", "--data-dir", str(tmp_path / "demo")]
    done = subprocess.run([*command, "--replay", str(file)], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    fates = printed(done.stdout)
    assert fates["all"]["lost"] == 0
    assert {label: +counts for label, counts in fates.items()} == foretold(file), done.stdout
