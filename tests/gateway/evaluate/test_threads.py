"""`shieldwire eval --sessions POSTS.csv REPOSTS.csv`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.evaluate import threads
from tests.gateway.command import shieldwire

pytestmark = pytest.mark.req("W4")

POSTS = """post_id,user_id,post_content,label,cyberbullying_severity
p1,anna,今天开播聊聊近况,CB,high
p2,bert,昨天的汤很好喝,Non-CB,
p3,carl,新歌发布了,Non-CB,
p3,carl,新歌发布了,CB,low
"""
REPOSTS = """repost_id,post_id,user_id,repost_time,repost_content
r1,p1,u1,10,你这个傻逼，滚出去
r2,p1,u2,12,操你妈的废物主播
r3,p2,u1,5,看起来不错
r4,p2,u3,900,
r4,p2,u3,900,
r5,p3,u4,3,真好听
r6,gone,u4,3,真好听
"""


def written(folder: Path, posts: str = POSTS, reposts: str = REPOSTS) -> tuple[Path, Path]:
    files = folder / "posts.csv", folder / "reposts.csv"
    for file, content in zip(files, (posts, reposts), strict=True):
        file.write_text(content, encoding="utf-8")
    return files


def test_it_tells_pile_ons_apart_and_what_it_left_out(tmp_path: Path) -> None:
    done = shieldwire("eval", "--sessions", *written(tmp_path), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["posts"], report["reposts"]) == (4, 7)
    assert report["dropped"] == {
        "post given twice": 1,
        "repost given twice": 1,
        "repost without a text": 1,
        "repost of a post that is not there": 1,
    }
    assert (report["auc"], report["auc_low"], report["auc_high"]) == (1.0, 1.0, 1.0)
    assert report["by_severity"] == {"high": {"posts": 3, "pile_ons": 1, "auc": 1.0, "low": 1.0, "high": 1.0}}
    assert report["discussed"]["posts"] == 0
    assert report["signals"]["mean hostility of the reposts"] == 1.0


def test_without_json_it_is_to_be_read(tmp_path: Path) -> None:
    done = shieldwire("eval", "--sessions", *written(tmp_path))
    assert done.stdout.startswith("4 posts, 7 reposts\n  dropped: 1 (")
    assert "AUC of the content hostility: 1.000 (95 %: 1.000 to 1.000)" in done.stdout
    assert "(0 posts): none (the posts are all alike)" in done.stdout


def test_other_labels_may_mean_a_pile_on(tmp_path: Path) -> None:
    done = shieldwire("eval", "--sessions", *written(tmp_path), "--positive", "Non-CB", "--json")
    assert json.loads(done.stdout)["auc"] == 0.0


@pytest.mark.parametrize(
    ("posts", "reposts", "said"),
    [
        (
            "post_id,label\np1,CB\n",
            REPOSTS,
            "posts.csv: no column post_content, user_id; ",
        ),
        (POSTS, REPOSTS.replace(",12,", ",soon,"), 'reposts.csv:3: repost_time "soon" is no number'),
        (POSTS, REPOSTS.replace(",12,", ",nan,"), 'reposts.csv:3: repost_time "nan" is no number'),
    ],
)
def test_what_cannot_be_measured_is_told(tmp_path: Path, posts: str, reposts: str, said: str) -> None:
    done = shieldwire("eval", "--sessions", *written(tmp_path, posts, reposts), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_most_within_a_stretch() -> None:
    assert threads.burst([], 10) == 0
    assert threads.burst([30, 0, 10, 11, 20], 10) == 3
    assert threads.burst([5, 5, 5, 40], 0) == 3
