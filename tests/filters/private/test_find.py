"""Private data is found however it is written; what only looks like it passes."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.classes import Harm
from filters.hits import Severity
from filters.private import SEVERITY, find, gate, needs_look, numbers
from filters.private.checks import id_check
from filters.private.finder import View, _findings
from filters.private.symbols import view_codes
from tests.filters.private import mutants, oracle
from tests.filters.writings import writings

ID = "11010519491231002" + id_check("11010519491231002")
ID_WITH_DIGIT = "11010519491231003" + id_check("11010519491231003")

PRIVATE = {
    "phone-cn": """13800138000|138 0013 8000|138-0013-8000|138.0013.8000|138🐶0013🐶8000|1 3 8 0 0 1 3 8 0 0 0
        |1，3，8，0，0，1，3，8，0，0，0|1🐶3🐶8🐶0🐶0🐶1🐶3🐶8🐶0🐶0🐶0|一三八零零一三八零零零|幺三八〇〇幺三八〇〇〇|壹叁捌零零壹叁捌零零零
        |13八00138零00|１３８００１３８０００|①③⑧⓪⓪①③⑧⓪⓪⓪|¹³⁸⁰⁰¹³⁸⁰⁰⁰|1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0|+8613800138000
        |+86 138 0013 8000
        |86-13800138000|13\u200b800\u200d138000|010-62345678|(010)62345678|0755-23456789""",
    "id-cn": f"{ID}|{ID.upper()}|{ID_WITH_DIGIT}|110105 19491231 002x|110105-1949-1231-002X",
    "card": """4111111111111111|4111 1111 1111 1111|4111-1111-1111-1111|378282246310005
        |3782 822463 10005|5555555555554444""",
    "plate-cn": "京A12345|京A·12345|京a1234b|沪AD12345|粤B12345D|京A1234学",
    "email": "name@example.com|first.last+tag@mail.example.org|ｎａｍｅ＠example.com|name @ qq . com|name@qq点com",
    "ssn": "123-45-6789",
    "phone-en": """202-555-0143|(202) 555-0143|202.555.0143|+1 202 555 0143|+12025550143|1-202-555-0143|202-555-0143 x12
        |+44 7700 900123|07700 900123|07700900123|+41 21 555 01 00|+44 (0)20 7946 0958""",
    "address-en": "742 Evergreen Terrace|221B Baker Street|10 Downing St|350 5th Ave, Apt. 21B|1600 N Oak Hill Dr",
    "address-cn": """北京市朝阳区建国路88号3单元501室|朝阳区幸福路8号|幸福小区3栋2单元501室|幸福路八号院三单元
        |上海市人民路12弄3号501室
        |廣東省某某市人民路８號""",
}
EXAMPLES = [(kind, text.strip()) for kind, texts in PRIVATE.items() for text in texts.split("|")]

CUED = [
    ("电话62345678", "phone-cn", "62345678"),
    ("2024-01-15 13800138000", "phone-cn", "13800138000"),
    ("手机138001 38000", "phone-cn", "138001 38000"),
    ("打一三八零零一三八零零零三次", "phone-cn", "一三八零零一三八零零零"),
    ("13800138000一直打", "phone-cn", "13800138000"),
    ("身份证110105491231002", "id-cn", "110105491231002"),
    ("加v：abc12345", "wechat", "abc12345"),
    ("vx: zhang-san", "wechat", "zhang-san"),
    ("他微 信号是zhangsan", "wechat", "zhangsan"),
    ("加薇 abc_123", "wechat", "abc_123"),
    ("wxid_abcdef123456", "wechat", "wxid_abcdef123456"),
    ("QQ号 123456789", "qq", "123456789"),
    ("企鹅：123456789", "qq", "123456789"),
    ("扣扣1 2 3 4 5 6 7 8", "qq", "1 2 3 4 5 6 7 8"),
    ("phone: 555 0143", "phone-en", "555 0143"),
    ("my SSN is 123 45 6789", "ssn", "123 45 6789"),
    ("she lives at 12 oak street", "address-en", "12 oak street"),
    ("地址：南京路100号", "address-cn", "南京路100号"),
]

HARMLESS = """666666|233333|2333333|客服热线400-820-8820|400 820 8820|拨打95588|打12345投诉|110|12356|800-810-8888
    |call 1-800-555-0100
    |订单号13800138000123|订单编号13800138000|快递单号SF1234567890123
    |tracking number 4111 1111 1111 1111|2024-01-15 12:30:45
    |2024/01/15
    |价格13800元|13800138000元|版本1.38.0013.8000|v2.13.4567|192.168.100.200|https://example.com/13800138000
    |example.com/u/13800138000?x=1
    |uid:13800138000|user_13800138000|abc13800138000|501室|地铁2号线|我不知道5号|5月6号|3号楼|在路上3号|逛街3号
    |QQ群123456789|微信转账50000|加我微信
    |da39a3ee5e6b4b0d3255bfef95601890afd80709|1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16|1500-2000 300|985 211
    |10000000000000个赞|11111111111
    |18888888888|138001380001|013800138000|support@example.com|@user123 hi|a@b|1700000000|20 people in the street
    |5 minutes down the road
    |In 2019 Wall Street crashed|3:2 2:1|0-0-0|4111111111111112|987-65-4320|000-12-3456
    |一二三四五六七|上午十点三十号见|Route 66
    |京A|新a股12345
    |qqqqqqqqqq|v5|wx"""

HEAVY = [
    "13800138000 ",
    "1 ",
    "138 ",
    "1",
    "路1号",
    "幸福小区",
    "a@",
    "a@a.",
    "vx 1",
    "1 Aa Bb St ",
    "1.",
    "/a.",
    "微信",
    "一三八",
]

SOUP = st.text(
    "0123456789一三八零号栋室路市区幸福住 .-@x,+()京A加微信vxqqstreet薇🐶\u200b\ufe0f:/：，①８\ud800\n_", max_size=60
) | st.lists(
    st.sampled_from([text for _, text in EXAMPLES] + [text for text, _, _ in CUED] + [" ", "，", "号", "a", "1", "-"]),
    max_size=6,
).map("".join)


def found(text: str) -> set[tuple[int, int, str]]:
    return {(hit.start, hit.end, hit.why) for hit in find(text)}


@pytest.mark.req("W1")
@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
@pytest.mark.parametrize("around", ["{}", "他的是{}，快去", "here: {} ok"])
def test_finds_every_writing(kind: str, text: str, around: str) -> None:
    at = around.index("{}")
    whole = around.replace("{}", text)
    assert found(whole) == {(at, at + len(text), kind)}
    assert needs_look(whole)


@pytest.mark.req("W1")
@pytest.mark.parametrize(("text", "kind", "span"), CUED)
def test_a_cue_makes_it_private(text: str, kind: str, span: str) -> None:
    assert [(hit.why, text[hit.start : hit.end]) for hit in find(text)] == [(kind, span)]
    assert needs_look(text)


@pytest.mark.req("W3")
@pytest.mark.parametrize("text", [text.strip() for text in HARMLESS.split("|")])
def test_harmless_passes(text: str) -> None:
    assert find(text) == ()


def test_a_hit_says_what_it_is() -> None:
    (hit,) = find("call 202-555-0143")
    assert (hit.harm, hit.view, hit.severity) == (Harm.PRIVACY, "private", Severity.SERIOUS)
    assert {hit.why for kind, text in EXAMPLES for hit in find(text)} | {"wechat", "qq"} == set(SEVERITY)


@given(st.lists(st.sampled_from(["13800138000", "1390013", "4111111111111111", ID_WITH_DIGIT, "汉", "好", "8", "，"])))
def test_runs_of_digits_are_read_as_the_oracle_reads_them(pieces: list[str]) -> None:
    text = "好".join(pieces)
    assert found(text) == oracle.runs(text)


@given(st.text("0123456789", min_size=1, max_size=20))
def test_one_run_is_read_as_the_oracle_reads_it(digits: str) -> None:
    text = f"好{digits}好"
    if digits[0] != "0":  # area codes are tested by example
        assert found(text) == oracle.runs(text)


@given(st.sampled_from(EXAMPLES), st.lists(st.integers(1, 30), max_size=5))
def test_what_is_not_seen_changes_nothing(example: tuple[str, str], places: list[int]) -> None:
    kind, text = example
    for place in places:
        place = min(place, len(text) - 1)
        text = text[:place] + "\u200b" + text[place:]
    assert found(text) == {(0, len(text), kind)}


@given(SOUP)
def test_the_gate_and_the_trigger_lose_nothing(text: str) -> None:
    mutants.check(text)


@given(SOUP)
def test_hits_lie_in_the_text_in_order_and_apart(text: str) -> None:
    hits = find(text)
    places = [place for hit in hits for place in (hit.start, hit.end)]
    assert places == sorted(places)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)


@pytest.mark.req("W3")
@pytest.mark.parametrize(
    "text", ["卡号 11010519491231003x", "card 123456 12345678901 x", "12 Oak Terracewww.example.com"]
)
def test_what_mutants_found(text: str) -> None:
    """An ID number that is none, after the cue of a card, was an error; and a rule found what the gate lets pass."""
    assert find(text) == ()
    assert not list(_findings(View.of(text), ~0))


def test_bad_input() -> None:
    assert find("") == ()
    assert find("\x00" * 100) == ()
    assert found("\ud80013800138000\udc00") == {(1, 12, "phone-cn")}
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert needs_look(everything)
    assert all(hit.end <= len(everything) for hit in find(everything))


def test_every_cue_begins_where_cues_are_asked_for() -> None:
    for word in writings(re.compile(numbers.WORDS)):
        (match,) = numbers.CUES.finditer(word)
        assert match.group() == word


def test_a_view_has_no_digits_but_ascii() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert set(re.findall(r"\d", every.translate(view_codes()))) == set("0123456789")


@pytest.mark.parametrize("text", ["1" * 1_000_000, "@" * 1_000_000, "a" + "\u0336" * 65_536, "傻" * 1_000_000, "\x00"])
def test_extreme_texts(text: str) -> None:
    assert find(text) == ()
    (hit,) = find(text + "，13800138000")
    assert hit.end == len(text) + 12


def test_mutants_agree_with_the_naive_readings() -> None:
    assert mutants.main(3_000, seed=2) > 300


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", HEAVY)
def test_long_texts_end(piece: str) -> None:
    """Half a million characters each: anything but linear time would run into the limit."""
    text = piece * (500_000 // len(piece))
    assert len(find(text)) <= len(text)
    assert find(text + "，13800138000")[-1].why == "phone-cn"


@pytest.mark.parametrize("data", [b"\xff", b"1\xe5", b"\xf0\x9f", b"12345678\xf8\x88\x80\x80\x80", b"\xf7\xbf\xbf\xbf"])
def test_malformed_bytes_stay_within_bounds(data: bytes) -> None:
    assert gate.bits_of(data) >= 0
