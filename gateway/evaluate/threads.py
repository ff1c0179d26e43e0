"""Posts with their timed reposts or comments: does the hostility of a crowd tell a pile-on from other traffic?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from pathlib import Path

import msgspec
import numpy as np

from gateway import tables
from gateway.evaluate.figures import Labels, Scores, auc, auc_interval
from gateway.evaluate.judging import judge
from gateway.evaluate.texts import HOSTILE, is_hostile
from protection.hostility import Remark, content_hostility

PILE_ON = HOSTILE | {"cb"}
"""What a post's label is taken for a pile-on by, in any case, where ``--positive`` does not say."""
DISCUSSED = 5
"""From so many reposts with a text on, a post counts as discussed."""
BURST = 600.0
"""How wide a burst is, in the file's unit of time."""
_POSTS = ("post_id", "user_id", "post_content")
_REPOSTS = ("post_id", "repost_id", "user_id", "repost_time", "repost_content")


class Repost(msgspec.Struct, frozen=True):
    """A repost or comment. ``at`` is the time since the post, in the file's unit."""

    sender: str
    text: str
    at: float


class Thread(msgspec.Struct, frozen=True):
    """A post and what was said below it; ``severity`` as the file has it, or empty."""

    sender: str
    text: str
    pile_on: bool
    severity: str
    reposts: tuple[Repost, ...]


class Ranking(msgspec.Struct):
    """How well posts are told apart: the area under the ROC curve, and its bootstrap interval (95 %)."""

    posts: int
    pile_ons: int
    auc: float | None
    """None where the posts are all alike."""
    low: float | None
    high: float | None


class Report(msgspec.Struct):
    """What `eval --sessions --json` prints."""

    posts: int
    reposts: int
    """How many were read, whether they were used or not."""
    dropped: dict[str, int]
    """How many rows were not used, by reason."""
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    """Of the content hostility of each post with its reposts, over all posts."""
    discussed: Ranking
    """Of those with at least `DISCUSSED` reposts that have a text."""
    by_severity: dict[str, Ranking]
    """Of the pile-ons of one severity against all other posts than pile-ons."""
    signals: dict[str, float | None]
    """What other figures of a post would reach alone, over the posts with a repost that has a text."""


def read(
    posts: Path, reposts: Path, label: str, positive: frozenset[str] | None
) -> tuple[list[Thread], dict[str, int]]:
    """The posts with their reposts, and how many rows were dropped, by reason. Raises `tables.TableError`."""
    dropped: Counter[str] = Counter()
    below = _reposts(reposts, dropped)
    found: dict[str, Thread] = {}
    for line in tables.read(posts, (*_POSTS, label)):
        cells = line.cells
        if cells["post_id"] in found:
            dropped["post given twice"] += 1
            continue
        found[cells["post_id"]] = Thread(
            cells["user_id"],
            cells["post_content"],
            is_hostile(cells[label], positive, PILE_ON),
            cells.get("cyberbullying_severity", "").strip(),
            tuple(below.pop(cells["post_id"], ())),
        )
    dropped["repost of a post that is not there"] += sum(map(len, below.values()))
    return list(found.values()), {reason: count for reason, count in dropped.items() if count}


def _reposts(file: Path, dropped: Counter[str]) -> dict[str, list[Repost]]:
    found: dict[str, list[Repost]] = defaultdict(list)
    seen: set[str] = set()
    for line in tables.read(file, _REPOSTS):
        cells = line.cells
        at = _number(cells["repost_time"])
        if not isfinite(at):
            raise tables.TableError(f'{file}:{line.number}: repost_time "{cells["repost_time"]}" is no number')
        if cells["repost_id"] in seen:
            dropped["repost given twice"] += 1
        elif not cells["repost_content"].strip():
            dropped["repost without a text"] += 1
        else:
            found[cells["post_id"]].append(Repost(cells["user_id"], cells["repost_content"], at))
        seen.add(cells["repost_id"])
    return found


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return nan


def evaluate(threads: Sequence[Thread], dropped: Mapping[str, int]) -> Report:
    """Judge every text, and rank the posts by what is said."""
    texts = dict.fromkeys(text for one in threads for text in (one.text, *(repost.text for repost in one.reposts)))
    hostility = dict(zip(texts, judge(list(texts)).scores.tolist(), strict=True))
    scores = np.array([content_hostility(_remarks(one, hostility)) for one in threads])
    pile_on = np.array([one.pile_on for one in threads], dtype=bool)
    discussed = np.array([len(one.reposts) >= DISCUSSED for one in threads], dtype=bool)
    severities = np.array([one.severity if one.pile_on else "" for one in threads])
    overall = _ranking(scores, pile_on)
    kept = sum(len(one.reposts) for one in threads)
    return Report(
        posts=len(threads) + dropped.get("post given twice", 0),
        reposts=kept + sum(count for reason, count in dropped.items() if reason.startswith("repost ")),
        dropped=dict(dropped),
        auc=overall.auc,
        auc_low=overall.low,
        auc_high=overall.high,
        discussed=_ranking(scores[discussed], pile_on[discussed]),
        by_severity={
            str(one): _ranking(scores[chosen], pile_on[chosen])
            for one in np.unique(severities[severities != ""])
            for chosen in [(severities == one) | ~pile_on]
        },
        signals=_signals([one for one in threads if one.reposts], hostility),
    )


def _remarks(thread: Thread, hostility: Mapping[str, float]) -> list[Remark]:
    """The post itself is one of them: what it says sets the tone of what is said below."""
    said = [(thread.sender, thread.text), *((one.sender, one.text) for one in thread.reposts)]
    return [Remark(text, sender, hostility[text]) for sender, text in said]


def _ranking(scores: Scores, pile_on: Labels) -> Ranking:
    ones = int(pile_on.sum())
    if ones in (0, len(pile_on)):
        return Ranking(len(pile_on), ones, None, None, None)
    low, high = auc_interval(scores, pile_on)
    return Ranking(len(pile_on), ones, round(auc(scores, pile_on), 4), round(low, 4), round(high, 4))


def _signals(threads: Sequence[Thread], hostility: Mapping[str, float]) -> dict[str, float | None]:
    pile_on = np.array([one.pile_on for one in threads], dtype=bool)
    if pile_on.all() or not pile_on.any():
        return {}
    of_reposts = [np.array([hostility[repost.text] for repost in one.reposts]) for one in threads]
    figures = {
        "content hostility": [content_hostility(_remarks(one, hostility)) for one in threads],
        "mean hostility of the reposts": [float(one.mean()) for one in of_reposts],
        "share of hostile reposts": [float((one >= 0.5).mean()) for one in of_reposts],
        "hostility of the post": [hostility[one.text] for one in threads],
        "distinct senders": [len({repost.sender for repost in one.reposts}) for one in threads],
        f"most reposts within {BURST:g}": [burst([repost.at for repost in one.reposts], BURST) for one in threads],
    }
    return {name: round(auc(np.array(values, dtype=np.float64), pile_on), 4) for name, values in figures.items()}


def burst(times: Iterable[float], width: float) -> int:
    """The most of these times that lie within any stretch of this width, both ends counted."""
    ordered = sorted(times)
    most = first = 0
    for last, time in enumerate(ordered):
        while time - ordered[first] > width:
            first += 1
        most = max(most, last - first + 1)
    return most


def table(report: Report) -> str:
    """The report, to be read."""
    lines = [f"{report.posts:,} posts, {report.reposts:,} reposts"]
    lines += [f"  dropped: {count:,} ({reason})" for reason, count in report.dropped.items()]
    overall = Ranking(0, 0, report.auc, report.auc_low, report.auc_high)
    lines.append(f"AUC of the content hostility: {_told(overall)}")
    lines.append(f"  with {DISCUSSED} reposts or more ({report.discussed.posts:,} posts): {_told(report.discussed)}")
    lines += [f"  {name} ({one.pile_ons:,} pile-ons): {_told(one)}" for name, one in report.by_severity.items()]
    if report.signals:
        lines.append("alone, of posts with a repost that has a text:")
        lines += [f"  {name}: {value:.3f}" for name, value in report.signals.items() if value is not None]
    return "\n".join(lines)


def _told(one: Ranking) -> str:
    if one.auc is None or one.low is None or one.high is None:
        return "none (the posts are all alike)"
    return f"{one.auc:.3f} (95 %: {one.low:.3f} to {one.high:.3f})"
