"""The context guards: what each lifts or lowers, and that no phrase is a licence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from filters import cues, guard_patterns, samples
from filters.classes import Harm
from filters.guard_patterns import AIM, DENIAL, FORBIDDING, NAMED, NAMING, OF_ME, QUOTE, SELF_NAMED, TELLING
from filters.guards import REMAINS, Guard, defaults, standing
from filters.hits import Hit, Severity
from filters.lexicon import Lexicon, parse
from filters.overlap import longest
from filters.scanner import Scanner
from tests.filters import plain_guards
from tests.filters.writings import writings

LEXICON = parse(
    [
        (
            "x.lexicon",
            "\n".join(
                [
                    "shieldwire-lexicon 1",
                    "[insult serious]",
                    "傻逼",
                    "bitch",
                    "you idiot",
                    "[insult mild]",
                    "guard: second-person",
                    "垃圾",
                    "trash",
                    "[insult severe]",
                    "贱种",
                    "guard: none",
                    "[hatred serious]",
                    "黑鬼",
                    "[threat severe]",
                    "杀你全家",
                    "kill you",
                    "[self-harm severe]",
                    "去死",
                    "kill yourself",
                    "[pile-on serious]",
                    "网暴她",
                    "[privacy severe]",
                    "人肉她",
                    "dox her",
                    "[defamation serious]",
                    "小三上位",
                    "[marketing serious]",
                    "刷单兼职",
                    "[distress serious]",
                    "不想活了",
                ]
            ),
        )
    ]
)
SCANNER = Scanner.compile(LEXICON)
UNGUARDED = Scanner.compile(Lexicon(tuple(replace(term, guards=frozenset()) for term in LEXICON.terms)))
"""What the words alone say."""

LIFTED = {
    Guard.NEGATION: [
        "你不是傻逼",
        "他才不是什么傻逼",
        "she is not a bitch",
        "you're not being a bitch",
        "不要再网暴她了",
        "别去死",
        "拒绝人肉她",
        "please don't kill yourself",
        "never ever kill yourself over a game",
        "don’t dox her",
        "她不是小三上位",
    ],
    Guard.QUOTATION: [
        "他骂我傻逼",
        "昨天有人罵我是個傻逼，難受",
        "他骂我：“傻逼”",
        "被网友骂傻逼",
        "有人在评论里喊黑鬼，我当场制止了",
        "请大家不要再用“黑鬼”称呼他",
        "用黑鬼称呼别人就是种族歧视",
        "傻逼这种话太过分了",
        "“傻逼”算是骂人吗",
        "someone called me a bitch",
        "he keeps calling my sister a bitch",
        "stop calling her a bitch",
        "the word bitch has a long history",
        'he wrote "bitch" under every post',
    ],
    Guard.SELF_REFERENCE: [
        "我真是个傻逼",
        "我又成了傻逼",
        "i'm such a bitch in the morning",
        "sorry, i was being a bitch",
    ],
    Guard.SECOND_PERSON: [
        "这家外卖就是垃圾",
        "垃圾体验",
        "this movie is trash",
        "你的手机拍照像垃圾",
        "your phone is trash",
    ],
}

LOWERED = [
    "他威胁我“杀你全家”，我报警了",
    'someone told me "kill yourself" and i blocked him',
    "他私信我：去死",
    "i won't kill you",
]

STANDS = [
    "傻逼",
    "你就是个傻逼",
    "你不是傻逼吗",
    "你不是傻逼是什么",
    "难道你不是傻逼",
    "你是不是傻逼",
    "你这个“傻逼”",
    "别傻逼了",
    "有人骂我傻逼，你才是傻逼",
    "我骂他傻逼怎么了",
    "大家一起骂他傻逼",
    "有人骂你傻逼",
    "我看你就是个傻逼",
    "你自己傻逼",
    "not you idiot",
    "why not kill yourself",
    "why don't you kill yourself",
    "if you don't kill yourself i will",
    "怎么不去死",
    "他说你去死",
    "有人叫你去死",
    "he said kill yourself",
    "我不反对人肉她",
    "he told me to dox her",
    "有人说她是小三上位",
    "不是刷单兼职",
    "keep calling her a bitch",
    "everyone call her a bitch",
    "i told you, bitch",
    "don't call me a bitch you bitch",
    "你真是垃圾",
    "垃圾主播",
    "you are absolute trash",
    "u trash",
    "他骂我贱种",
    "被骂傻逼活该",
    "大家都叫她傻逼，她就是",
    "he called her a bitch and she is",
    'you "bitch", reported',
    "你这种傻逼这种话也说得出",
    "我真的不想活了",
]


@pytest.mark.req("W3")
@pytest.mark.parametrize(("guard", "text"), [(guard, text) for guard, texts in LIFTED.items() for text in texts])
def test_an_excuse_lifts_the_hit(guard: Guard, text: str) -> None:
    (found,) = UNGUARDED.scan(text).hits
    assert standing(text, found, frozenset({guard})) is None
    assert SCANNER.scan(text).hits == ()


@pytest.mark.req("W3", "S5")
@pytest.mark.parametrize("text", LOWERED)
def test_reported_threats_stay_as_mild_hits(text: str) -> None:
    assert SCANNER.scan(text).hits[-1].severity is Severity.MILD


@pytest.mark.req("S1", "S3")
@pytest.mark.parametrize("text", STANDS)
def test_no_phrase_is_a_licence(text: str) -> None:
    assert SCANNER.scan(text).hits[-1] == UNGUARDED.scan(text).hits[-1]


def test_every_class_but_distress_and_the_plainly_harmful_takes_some_excuse() -> None:
    unexcused = {harm for harm in Harm if not defaults(harm)}
    assert unexcused == {Harm.DISTRESS, Harm.RUMOUR, Harm.MARKETING}


def test_an_excuse_never_makes_a_hit_graver() -> None:
    for guard, table in REMAINS.items():
        for harm, remains in table.items():
            hit = Hit(harm, 3, 5, Severity.MILD, "raw", "傻逼")
            assert standing("他骂我傻逼这种话", hit, frozenset({guard})) in (None, Severity.MILD), (
                guard,
                harm,
                remains,
            )


CUES = [
    "不是",
    "别",
    "他骂我",
    "我是",
    "你",
    "“",
    "”",
    "这种话",
    "吗",
    "，",
    " ",
    "not a ",
    "don't ",
    "he told me ",
    '"',
    "@",
]


@given(
    st.lists(st.sampled_from(CUES), max_size=12), st.lists(st.sampled_from(CUES), max_size=12), st.sampled_from(Harm)
)
def test_only_the_nearest_words_matter(before: list[str], after: list[str], harm: Harm) -> None:
    text = "".join([*before, "傻逼", *after])
    hit = Hit(harm, text.index("傻逼"), text.index("傻逼") + 2, Severity.SEVERE, "raw", "傻逼")
    far = "很" * 100
    near, moved = (replace(hit, start=hit.start + by, end=hit.end + by) for by in (1, len(far) + 1))
    expected = standing(f"。{text}。", near, frozenset(Guard))
    assert standing(f"{far}。{text}。{far}", moved, frozenset(Guard)) == expected


WORDS = "|".join(pattern.pattern for pattern in vars(guard_patterns).values() if isinstance(pattern, re.Pattern))
PARTS = sorted(set(re.findall(r"[a-z']+|[\u4e00-\u9fff]", WORDS)))


SURROUNDINGS = st.lists(st.sampled_from([*PARTS, *CUES, "？", "：", ". ", "-", "1", "é", "\u200b"]), max_size=12).map(
    "".join
)
WITHIN = st.sampled_from(["傻逼", "you idiot", "滚你", "u", "y.ou", "“x”", "\U0002f804", "\ud800a"])


@given(
    SURROUNDINGS | st.text(max_size=40),
    WITHIN | st.text(min_size=1, max_size=6),
    SURROUNDINGS | st.text(max_size=40),
    st.sampled_from(["", " ", "\U0002f804", "\U000e0041", "\ud800"]),
    st.sets(st.sampled_from(Guard)),
)
@settings(max_examples=2000)
def test_agrees_with_asking_every_question(before: str, hit: str, after: str, mark: str, asked: set[Guard]) -> None:
    """No expression matches without its cue; and the context is the same."""
    text = f"{before}{mark}{hit}{mark}{after}"
    start = len(before) + len(mark)
    for harm in (Harm.INSULT, Harm.SELF_HARM, Harm.DEFAMATION):
        found = Hit(harm, start, start + len(hit), Severity.SEVERE, "raw", "x")
        assert standing(text, found, frozenset(asked)) is plain_guards.standing(text, found, frozenset(asked))


def test_agrees_with_asking_every_question_on_the_sample_bank() -> None:
    bank = [sample.text for sample in samples.load()]
    texts = [*bank, *STANDS, *LOWERED, *(text for lifted in LIFTED.values() for text in lifted)]
    for scanner, text in [(Scanner.shipped(), text) for text in texts] + [(SCANNER, text) for text in texts]:
        for start, end, term in longest(scanner._matches(text)):
            if term is not None:
                hit = Hit(term.harm, start, end, term.severity, "raw", term.text)
                for asked in (term.guards, frozenset(Guard)):
                    assert standing(text, hit, asked) is plain_guards.standing(text, hit, asked)


BEFORE_CUES = {
    "DENIED": [DENIAL],
    "FORBIDDEN": [FORBIDDING],
    "REPORTED_OF_ME": [TELLING, OF_ME],
    "REPORTED_OF_OTHERS": [TELLING],
    "MENTIONED_BEFORE": [NAMED],
    "OPENED": [QUOTE],
    "SELF": [SELF_NAMED],
    "AIMED_BEFORE": [AIM],
}
AFTER_CUES = {"MENTIONED_AFTER": [NAMING], "CLOSED": [QUOTE], "AIMED_AFTER": [AIM]}


@pytest.mark.parametrize("name", [*BEFORE_CUES, *AFTER_CUES, "ADDRESSED"])
def test_no_expression_matches_without_its_cue(name: str) -> None:
    written = writings(vars(guard_patterns)[name])
    assert len(written) >= 2
    for part in written:
        utf8 = part.encode()
        if name in BEFORE_CUES:
            found = cues.compiled()(utf8 + b"x", len(part), len(part) + 1)
        elif name in AFTER_CUES:
            found = cues.compiled()(b"x" + utf8, 0, 1) >> cues.AFTER
        else:
            found = cues.compiled()(utf8, 0, len(part)) >> cues.WORDS
        assert all(found & cue for cue in {**BEFORE_CUES, **AFTER_CUES}.get(name, [AIM])), part


def test_the_table_is_the_folding() -> None:
    every = "".join(map(chr, range(cues.SIZE)))
    assert every.translate(cues.folding()) == every.translate(cues.whole_folding())
    beyond = {char for code, char in cues.whole_folding().items() if code >= cues.SIZE}
    assert not beyond & set(map(ord, guard_patterns.CLAUSE_ENDS + ". "))


@given(st.binary(max_size=40), st.integers(0, 12), st.integers(1, 6))
def test_cues_stay_within_bounds_on_any_bytes(data: bytes, start: int, length: int) -> None:
    # In the interpreter an index past the end is an error, not a stray read.
    interpreted = cues._cues(cues.table(), data, start, start + length)  # type: ignore[no-untyped-call]
    assert cues.compiled()(data, start, start + length) == interpreted


def test_context_is_read_in_bounded_time() -> None:
    text = "我不是" * 200_000 + "傻逼" + "这种" * 200_000
    assert SCANNER.scan(text).hits == ()
