"""Choose the two operating points: ``python -m filters.model.choose FLAG.csv ... --fine REFUSE.csv ...``.

Each file has the columns ``text`` and ``label`` (1 hostile, 0 fine); ``--fine`` files hold fine texts only. What a
point costs is what it does wrong, in shares of each file, so that a large one weighs no more than a small one:

    missed + FALSE_FLAG * falsely flagged          for the reminder before posting
    missed + FALSE_REFUSAL * falsely refused       for a refusal

A reminder that is wrong costs its writer one more key; a refusal that is wrong silences somebody: hence the two prices.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.model.scoring import Model
from filters.scanner import Scanner

FALSE_FLAG = 1.5
"""How many misses one false reminder is worth."""
FALSE_REFUSAL = 35.0
"""How many misses one false refusal is worth."""
_STEPS = np.arange(-1.0, 5.01, 0.25)


def best(hostile: Sequence[NDArray[np.float64]], fine: Sequence[NDArray[np.float64]], price: float) -> float:
    """The logit of least cost. Each array holds the logits of one file's texts."""
    costs = [
        np.mean([np.mean(one < step) for one in hostile]) + price * np.mean([np.mean(one >= step) for one in fine])
        for step in _STEPS
    ]
    return float(_STEPS[int(np.argmin(costs))])


def _logits(texts: Sequence[str]) -> NDArray[np.float64]:
    scanner, model = Scanner.shipped(), Model.shipped()
    return np.array([model.judge(text, scanner.scan(text).score).hostile for text in texts])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the thresholds for the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("labelled", nargs="*", type=Path)
    parser.add_argument("--fine", nargs="*", type=Path, default=[])
    options = parser.parse_args(arguments)
    hostile, fine = [], []
    for file in (*options.labelled, *options.fine):
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        labelled = file in options.labelled
        found = _logits([row["text"] for row in rows])
        label = np.array([labelled and row["label"] == "1" for row in rows])
        hostile += [found[label]] if label.any() else []
        fine += [found[~label]] if not label.all() else []
    sys.stdout.write(f"flag = {best(hostile, fine, FALSE_FLAG)}\nrefuse = {best(hostile, fine, FALSE_REFUSAL)}\n")


if __name__ == "__main__":
    main()
