"""Stitching: abuse cut into short messages is found, chat of short messages is not taken for it."""

from __future__ import annotations

import itertools
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import samples
from filters.classes import Harm
from filters.hits import CLEAN, Hit, Scan, Severity
from filters.lexicon import parse
from filters.scanner import Scanner
from filters.stitching import GAP_S, LONGEST_LINE, Line, Scans, Source, Stitched, Stitcher, with_stitched

SCANNER = Scanner.compile(
    parse(
        [
            (
                "x.lexicon",
                "\n".join(
                    [
                        "shieldwire-lexicon 1",
                        "[insult serious]",
                        "傻逼",
                        "贱人",
                        "allow: 贱人矫情",
                        "fuck you",
                        "[self-harm severe]",
                        "怎么还不去死",
                        "kill yourself",
                        "[distress serious]",
                        "我想死",
                    ]
                ),
            )
        ]
    )
)


def feed(messages: list[tuple[str, str]], step: float = 1.0, room: str = "r") -> list[list[Stitched]]:
    """Feed (sender, text) at even steps; what each of them completes."""
    stitcher = Stitcher()
    return [
        stitcher.feed(SCANNER, text, number * step, sender=sender, room=room, target="t", message=str(number))
        for number, (sender, text) in enumerate(messages)
    ]


def one_by_one(parts: list[str], sender: str = "a") -> list[tuple[str, str]]:
    return [(sender, part) for part in parts]


COMPLETED = {
    "one character each": one_by_one(["傻", "逼"]),
    "a whole sentence": one_by_one(list("你怎么还不去死")),
    "several characters": one_by_one(["怎么", "还不", "去死"]),
    "in traditional script": one_by_one(["賤", "人"]),
    "with padding": one_by_one(["傻……", "！！逼！！"]),
    "with emoji between": one_by_one(["傻", "😂", "？？？", "逼"]),
    "one word each": one_by_one(["kill", "yourself"]),
    "one letter each": one_by_one(list("fuckyou")),
    "behind chatter of the same sender": one_by_one(["哈哈", "6", "傻", "逼"]),
    "among others": [("a", "傻"), ("b", "你好呀大家"), ("b", "好"), ("a", "逼")],
    "a relay": [("a", "傻"), ("b", "逼")],
    "a relay of four": [("a", "怎么"), ("b", "还不"), ("c", "去"), ("d", "死")],
    "a relay of words": [("a", "kill"), ("b", "yourself")],
}


@pytest.mark.req("S1", "S3")
@pytest.mark.parametrize("messages", COMPLETED.values(), ids=COMPLETED)
def test_the_completing_message_is_found(messages: list[tuple[str, str]]) -> None:
    *before, last = feed(messages)
    assert all(found == [] for found in before)
    (stitched,) = last
    text = messages[-1][1]
    assert (stitched.hit.view, stitched.hit.start, stitched.hit.end) == ("stitched", 0, len(text))
    assert SCANNER.scan(stitched.text).hits[0].why == stitched.hit.why


APART = {
    "within one message": one_by_one(["傻逼"]),
    "a long message between": one_by_one(["傻", "今天的直播真好看", "逼"]),
    "a long message in the room between": [("a", "傻"), ("c", "今天的直播真好看"), ("b", "逼")],
    "harmless once complete": one_by_one(["妖", "贱", "货"]),
    "a word cut in two": one_by_one(["fu", "ck", "you"]),
    "a number between": one_by_one(["傻", "6", "逼"]),
    "distress of two people": [("a", "我"), ("b", "想死")],
}


@pytest.mark.req("W3")
@pytest.mark.parametrize("messages", APART.values(), ids=APART)
def test_what_does_not_read_as_one_line_passes(messages: list[tuple[str, str]]) -> None:
    assert all(found == [] for found in feed(messages))


@pytest.mark.req("S5")
def test_distress_of_one_person_is_heard() -> None:
    assert [each.hit.harm for each in feed(one_by_one(["我", "想", "死"]))[-1]] == [Harm.DISTRESS]


def test_a_hit_names_the_messages_that_took_part() -> None:
    (stitched,) = feed([("a", "好"), ("b", "傻"), ("c", "逼")])[-1]
    assert stitched.sources == (Source("b", "1"), Source("c", "2"))
    assert stitched.text == "傻 逼"


def test_a_completing_message_is_not_kept_and_fails_again() -> None:
    found = feed(one_by_one(["傻", "逼", "逼", "好", "逼"]))
    assert [len(each) for each in found] == [0, 1, 1, 0, 0]


def test_a_gap_begins_a_new_line() -> None:
    messages = one_by_one(["傻", "逼"])
    assert feed(messages, step=GAP_S)[-1] != []
    assert feed(messages, step=GAP_S + 0.001)[-1] == []


def test_direct_messages_are_stitched_per_pair() -> None:
    stitcher = Stitcher()

    def send(text: str, sender: str, target: str) -> list[Stitched]:
        return stitcher.feed(SCANNER, text, 0.0, sender=sender, target=target)

    assert send("傻", "a", "t") == []
    assert send("逼", "b", "t") == []
    assert send("逼", "a", "u") == []
    assert send("逼", "a", "t") != []


def test_the_least_recently_used_line_is_forgotten() -> None:
    stitcher = Stitcher(lines=2)

    def send(text: str, sender: str) -> list[Stitched]:
        return stitcher.feed(SCANNER, text, 0.0, sender=sender, target="t")

    for sender in ("a", "b", "a", "c"):
        send("傻", sender)
    assert (send("逼", "a") != [], send("逼", "b") != []) == (True, False)


def test_a_stitched_hit_joins_the_scan_of_its_message() -> None:
    found = feed(one_by_one(["傻", "逼"]))[-1]
    assert with_stitched(CLEAN, found) == Scan((Hit(Harm.INSULT, 0, 1, Severity.SERIOUS, "stitched", "傻逼"),), 0.7)
    assert with_stitched(CLEAN, []) is CLEAN


@pytest.mark.req("S1", "S3")
def test_abuse_of_the_sample_bank_is_found_cut_into_characters() -> None:
    shipped = Scanner.shipped()
    abuse = [
        sample.text
        for sample in samples.load()
        if sample.abusive and sample.caught and len(sample.text) <= LONGEST_LINE // 2 and sample.text[0] >= "\u4e00"
    ]
    assert len(abuse) > 80
    missed = []
    for text in abuse:
        stitcher = Stitcher()
        letters = [char for char in text if char.isalnum()]
        if not any(stitcher.feed(shipped, char, 0.0, sender="a", room="r") for char in letters):
            missed.append(text)
    assert len(missed) <= len(abuse) * 0.05, missed  # words of several Latin letters, cut where nobody would


CHATTER = """
哈 哈哈 哈哈哈 6 66 666 好 好的 嗯 嗯嗯 啊 啊？ 哦 对 对对 是 是的 不 不是 没 没有 有 来 来了 走 走了 冲 冲冲冲
加油 牛 牛逼 强 太强了 可以 行 行吧 懂 懂了 早 早上好 晚安 你好 主播好 下播 开播 上 下 左 右 快 快跑 慢 跑 打
打他 杀 死 死了 又死了 我 你 他 她 人 狗 猫 吃 喝 睡 累 困 饿 饱 妈 妈耶 妈呀 爸 爸爸 天 天啊 卧槽 草 真 真的 假
假的 笑 笑死 哭 哭了 爱 爱了 美 好看 丑 胖 瘦 胸 腿 ？ ！ … 😂 gg gl hf lol lmao ez wp go gogo mid top bot push
def b k ok no yes yo hi hello bye brb afk nice wow omg die dead kill me you u he she it we they him her the a i
am is are ass hot noob pro team end ff rip
"""


@pytest.mark.req("W3")
def test_chat_of_short_messages_passes() -> None:
    shipped = Scanner.shipped()
    chatter = [text for text in CHATTER.split() if not shipped.scan(text).hits]
    chance, stitcher, fired = random.Random(7), Stitcher(), []
    for number in range(20_000):
        sender = string.ascii_lowercase[chance.randrange(12)]
        fired += stitcher.feed(shipped, chance.choice(chatter), number * 0.5, sender=sender, room="r")
    assert len(fired) <= 20, [each.text for each in fired]


TEXTS = st.sampled_from(
    ["傻", "逼", "贱", "人", "矫情", "傻 逼", "fuck", "you", "kill", "yourself", "我", "想死", "😂", "好好好好好"]
)
MESSAGES = st.lists(st.tuples(st.sampled_from("ab"), TEXTS, st.sampled_from([0.0, 4.0, 11.0])), max_size=12)


@given(MESSAGES)
@settings(max_examples=300, deadline=None)
def test_agrees_with_scanning_what_was_said(messages: list[tuple[str, str, float]]) -> None:
    stitcher, now = Stitcher(), 0.0
    said: list[tuple[str, str, float]] = []
    for sender, text, pause in messages:
        now += pause
        found = stitcher.feed(SCANNER, text, now, sender=sender, room="r")
        mine = [entry for entry in said if entry[0] == sender]
        expected = spanning(mine, text, now) or spanning(said, text, now) - {"我想死"}
        assert {each.hit.why for each in found} == expected
        if text != "😂" and not found:
            said.append((sender, text, now))


class PlainStitcher(Stitcher):
    """Scans every line."""

    def _may_complete(self, scanner: Scans, own: Line, shared: Line, word: str) -> bool:
        return True


SHORT = sorted({char for sample in samples.load() for char in sample.text} | set(CHATTER.split()))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(SHORT) | st.text(max_size=4)), max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_first_look_at_the_lines_loses_nothing(messages: list[tuple[str, str]]) -> None:
    assert_agree(messages)


def test_a_first_look_at_the_lines_loses_no_abuse_of_the_sample_bank() -> None:
    chance = random.Random(3)
    completed = 0
    for sample in samples.load():
        words = sample.text.split() if sample.text.isascii() else list(sample.text)
        completed += assert_agree([(chance.choice("aaab"), word) for word in words])
    assert completed > 100


def assert_agree(messages: list[tuple[str, str]]) -> int:
    """The same is completed as without the first look; returns how often something is."""
    looking, plain = Stitcher(), PlainStitcher()
    scanner, count = Scanner.shipped(), 0
    for number, (sender, text) in enumerate(messages):
        expected = plain.feed(scanner, text, 0.0, sender=sender, room="r", message=str(number))
        assert looking.feed(scanner, text, 0.0, sender=sender, room="r", message=str(number)) == expected
        count += bool(expected)
    return count


def spanning(said: list[tuple[str, str, float]], text: str, now: float) -> set[str]:
    """The terms that a message completes behind what was said, from the whole of it."""
    if text in ("😂", "傻 逼", "好好好好好"):
        return set()
    words: list[str] = []
    for _, word, at in reversed(said):
        if now - at > GAP_S or word in ("傻 逼", "好好好好好"):
            break
        words.insert(0, word)
        now = at
    while len(" ".join(words)) > LONGEST_LINE:
        words.pop(0)
    line = " ".join([*words, text])
    last = len(line) - len(text)
    hits = [hit for hit in SCANNER.scan(line).hits if hit.view == "raw"]
    return {hit.why for hit in hits if words and hit.start < last - 1 < hit.end}


def test_lines_stay_short_whatever_is_sent() -> None:
    stitcher = Stitcher()
    for number, word in enumerate(itertools.islice(itertools.cycle(["哈哈", "word", "W" * 12]), 500)):
        stitcher.feed(SCANNER, word, number * 0.1, sender="a", room="r")
    for lines in (stitcher._of_senders, stitcher._of_rooms):
        (line,) = lines._lines.values()
        assert len(line.text) <= LONGEST_LINE
        assert len(line.sources) == len(line.text.split())


@pytest.mark.parametrize("text", ["！" * 1_000_000, "傻" * 1_000_000, "_" * 1_000_000 + "傻", "\x00", "", "\ud800"])
def test_extreme_messages(text: str) -> None:
    assert Stitcher().feed(SCANNER, text, 0.0, sender="a", room="r") == []
