"""The content model: its kernels against plain Python, its file, its fairness, and what it says of known lines."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import samples
from filters.model import grams, inputs, rewriting
from filters.model.disguise import disguised
from filters.model.features import Extractor, Features
from filters.model.scoring import Model, chance, clauses
from filters.model.training import Example, train
from filters.model.weights import CLASSES, Weights
from filters.reader import Reader
from tests.filters import model_oracle as oracle

EXTRACTOR = Extractor()
MODEL = Model.shipped()
BANK = samples.bank()

PIECES = [
    *"你是个傻逼垃圾王妃亻尔氵州女人河南，。！？…~“”'-_ 　😀🐴🍚👋🏿1２3aＢc",
    "nishi", "zhuang", "sb", "xian", "women", "the ",
    "black", "aaaa", "哈哈哈哈", "don't ", "\u200b", "\U00020bb7", "ﬁ", "é",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=40).map("".join)


def naive(text: str) -> tuple[Counter[int], Counter[int], dict[str, int]]:
    letters, sounds, marks = oracle.rewritten(text)
    return Counter(oracle.letter_buckets(letters)), Counter(oracle.sound_buckets(sounds)), marks


def check_features(text: str) -> None:
    found = EXTRACTOR.of(text)
    letters, sounds, marks = naive(text)
    assert Counter(found.letters.tolist()) == letters
    assert Counter(found.sounds.tolist()) == sounds
    assert dict(zip(rewriting.marker_names(), found.context[grams.MARKERS :].tolist(), strict=True)) == marks


@pytest.mark.req("W2")
@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_features_are_those_of_plain_python(text: str) -> None:
    check_features(text)


@pytest.mark.req("W2")
def test_features_of_the_bank_are_those_of_plain_python() -> None:
    for sample in BANK[::25]:
        check_features(sample.text)


def naive_judgement(text: str, terms: float) -> tuple[float, float]:
    found: Features = EXTRACTOR.of(text)
    weights = MODEL.weights
    row = inputs.of(weights.letters.scores(found.letters), weights.sounds.scores(found.sounds), found.context, terms)
    logits = weights.combination.logits(row[None, :])[0]
    return inputs.hostile(logits, row, inputs.is_english(found.context)), float(logits[4])


@pytest.mark.req("W2")
@given(TEXTS, st.sampled_from([0.0, 0.3, 0.97]))
@settings(max_examples=200, deadline=None)
def test_the_scores_are_what_the_weights_define(text: str, terms: float) -> None:
    judgement = MODEL.judge(text, terms)
    assert (judgement.hostile, judgement.distress) == pytest.approx(naive_judgement(text, terms), abs=1e-4)


@pytest.mark.parametrize("text", ["", " ", "\ud800", "a" * 100_000, "傻逼" * 50_000, "\u200b" * 9000])
def test_any_text_is_judged(text: str) -> None:
    assert np.isfinite([MODEL.judge(text).hostile, MODEL.judge(text).distress]).all()


def test_the_file_of_weights_is_small_and_comes_back() -> None:
    content = MODEL.weights.to_bytes()
    assert len(content) <= 8_000_000
    again = Weights.from_bytes(content)
    assert again.to_bytes() == content
    with pytest.raises(ValueError, match="not a model"):
        Weights.from_bytes(b"something else")


@pytest.mark.req("W2")
def test_the_same_examples_make_the_same_weights() -> None:
    lines = [Example(one.text, one.abusive, one.harm, "bank") for one in BANK[::40]]
    lines += [Example(one.text, one.abusive, None, source) for one in BANK[5::40] for source in ("group", "comments")]
    first, second = (train(lines, lambda _: 0.0).to_bytes() for _ in range(2))
    assert first == second


def test_classes_are_a_distribution() -> None:
    shares = MODEL.classes("加我微信，低价代购，先到先得")
    assert {harm for harm, _ in shares} == set(CLASSES)
    assert sum(share for _, share in shares) == pytest.approx(1.0)


def test_the_strongest_clause_is_one_of_the_text() -> None:
    text = "今天天气不错，你这个傻逼真让人恶心，晚上吃什么"
    assert MODEL.strongest(text) in clauses(text)
    assert "傻逼" in text[slice(*MODEL.strongest(text))]


SWAPS = {
    "region": (
        ["河南人", "上海人", "东北人", "广东人", "新疆人"],
        ["{}都很热情好客", "我认识一个{}，人挺好", "{}偷东西，都不是好人", "这里有很多{}"],
    ),
    "race": (
        ["黑人", "白人", "亚洲人", "非洲人", "印度人"],
        ["{}也是人，请尊重他们", "昨天和一个{}聊了很久", "{}滚出去，看着就恶心", "{}学生得了奖"],
    ),
    "gender": (
        ["女人", "男人", "女生", "男生"],
        ["{}也可以做得很好", "{}就是矫情，没脑子", "这件衣服{}也能穿", "她说{}更喜欢这部电影"],
    ),
    "english": (
        ["women", "men", "girls", "boys"],
        ["{} are welcome here", "i hate {}, they ruin everything", "{} won the game today"],
    ),
}


@pytest.mark.req("W3")
@pytest.mark.parametrize("kind", SWAPS)
def test_a_groups_name_hardly_moves_the_score(kind: str) -> None:
    """In letters all names of a kind are one; what is left of a difference comes from how they sound."""
    names, frames = SWAPS[kind]
    for frame in frames:
        chances = [chance(MODEL.judge(frame.format(name)).hostile) for name in names]
        assert max(chances) - min(chances) <= 0.35, frame


@pytest.mark.req("W3")
def test_no_groups_name_alone_is_flagged() -> None:
    reader = Reader.shipped()
    assert [name for name in rewriting.group_names() if reader.scan(name).hits] == []


def test_disguise_is_the_same_for_the_same_seed() -> None:
    text = "你这个人真的没有脑子，出去走走吧"
    spelled = {disguised(text, np.random.default_rng(seed)) for seed in range(20)}
    assert len(spelled) > 5
    assert disguised(text, np.random.default_rng(3)) == disguised(text, np.random.default_rng(3))


@pytest.mark.req("W2")
@pytest.mark.parametrize(
    ("plain", "written"),
    [("我讨厌你", "我讨厌亻尔"), ("你们", "亻尔亻门"), ("一个王妃", "一个王女己")],
)
def test_components_side_by_side_are_read_as_one(plain: str, written: str) -> None:
    assert EXTRACTOR.of(plain).letters.tolist() == EXTRACTOR.of(written).letters.tolist()


@pytest.mark.req("W2")
@pytest.mark.parametrize("written", ["ni shi shabi", "nishi sha bi", "拟使沙币"])
def test_what_sounds_alike_is_heard_alike(written: str) -> None:
    assert EXTRACTOR.of(written).sounds.tolist() == EXTRACTOR.of("你是傻逼").sounds.tolist()


@pytest.mark.req("W2")
@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("zhe xie ren zhen rang ren e xin", False),
        ("these people are disgusting", True),
        ("haha nice", True),
        ("?", True),
    ],
)
def test_pinyin_is_no_english(text: str, english: bool) -> None:
    assert inputs.is_english(EXTRACTOR.of(text).context) is english


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    ("complaint", "insult"),
    [
        ("骗子商家，等了两个小时，饭都凉了，真恶心", "你这个骗子真恶心"),
        ("垃圾酒店，房间又脏又小，前台态度差", "你就是个垃圾"),
    ],
)
def test_a_complaint_ranks_below_an_insult_in_its_words(complaint: str, insult: str) -> None:
    assert MODEL.judge(complaint).hostile < MODEL.judge(insult).hostile
    assert MODEL.judge(complaint).hostile < 0
