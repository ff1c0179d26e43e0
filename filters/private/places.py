"""Street addresses that lead to a door: with the number of a house.

A street or town alone is no private data, and neither is a room number alone: an address is at least two of region,
street or compound, and door, or a street with its number after a word that says that somebody lives there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters.private.findings import REACH, Finding
from filters.private.symbols import STREETS

_COUNT = r"[\d一二三四五六七八九十百零〇两]{1,6}"
_UNIT = r"(?:号楼|号院|号|栋|幢|弄|单元|楼|座|室)"
_ANCHOR = re.compile(rf"{_COUNT} ?(?:- ?\d{{1,4}} ?)?{_UNIT}")
_MORE = re.compile(rf"[ ,\-]{{0,2}}[a-z]?(?:{_COUNT} ?(?:{_UNIT}|层|户|门)|[a-z][栋座幢])|[ ,\-]?\d{{3,4}}(?!\d)")
_DOOR = re.compile(r"(?:栋|幢|单元|座|室|号楼|楼|层|户)")

_STREET = re.compile(
    r"(?P<name>[\u4e00-\u9fff][\u4e00-\u9fff\d]+?)(?P<kind>大道|大街|街道|胡同|路|街|巷|道|弄|小区|花园|花苑|家园|公寓|大厦|新村|社区|广场|苑|府|村|庄|里)"
    r"(?:[东西南北中]|[东西南北中]?[\d一二三四五六七八九十]段)? ?$"
)
_NO_STREET = re.compile(
    r"(?:知道|报道|味道|频道|渠道|难道|街道办|轨道|跑道|通道|王道|厚道|地道|一道|走路|思路|网路|线路|在路|这里|那里|哪里|家里|心里|手里|群里|店里|"
    r"逛街|上街|公里|海里|城里|村里|房里|屋里|院里|楼里|车里|这条路|那条路|公路|铁路|高速路|马路|套路|一路|半路|出路|小路)$"
)
_REGION = re.compile(
    r"(?:北京|天津|上海|重庆|河北|山西|内蒙古|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|四川|贵州|云南|西藏|陕西|甘肃"
    r"|青海|宁夏|新疆|香港|澳门|台湾)(?:省|市|自治区|特别行政区)?|[\u4e00-\u9fff]{2,4}?(?:省|市|县|区|镇|乡|州)(?=[\u4e00-\u9fff])"
)
_LIVES = re.compile(r".*(?:家住|住在|住址|地址|家在|人在|现住|寄到|送到|寄往|搬到|住|在|到|是|:)", re.DOTALL)
_HOME = re.compile(r"家住|住在|住址|地址|家在|现住|寄到|送到|寄往|搬到|住|收货|门牌|蹲守|堵")
_BORDER = re.compile(r".*[^\u4e00-\u9fffa-z0-9 ]", re.DOTALL)
_NOT_A_DOOR = re.compile(r"线|店|机|选手|员|技师|桌|票|球|馆|门诊|套餐|链接|公交|文件|床|产品|商品|高速|国道|省道")

_STREET_EN = re.compile(
    rf"(?<![a-z0-9_.#$€£/:@,\-])(?P<house>\d{{1,5}}[a-d]?)"
    rf"(?P<names>(?: [\w'.\-]{{1,20}}){{1,4}}?) (?P<suffix>{STREETS})\b"
    r"(?:\.?,? (?:apt|apartment|suite|unit|flat|#)\.? ?#?\w{1,6})?"
)
_SMALL_WORD = re.compile(
    r"a|about|all|am|an|and|another|are|at|away|be|block|by|down|few|for|from|good"
    r"|guys|hour|hours|i|in|is|it|just|kids|km|lives|long|me|meters|miles|min|mins"
    r"|minute|minutes|more|mph|my|next|of|off|old|on|one|only|or|other|our|out|over"
    r"|people|per|ppl|right|some|supreme|that|the|their|they|this|times|to|top|up|was"
    r"|way|we|were|wins|with|wrong|yards|year|years|you|your"
)
"""Words of a sentence, not of a street's name."""
_LIVES_AT = re.compile(
    r"(?:live[sd]?|living|home|house|address|reside[sd]?|residence|stays?|located|deliver(?:ed)?|ship|meet)"
    r" ?(?:me )?(?:is|at|on|in|to)?[: ]*$"
)
_YEAR = re.compile(r"(?:19|20)\d\d")


def find_chinese(view: str) -> Iterator[Finding]:
    """Chinese addresses, each from its region (or street) to the last number of its door."""
    done = 0
    for anchor in _ANCHOR.finditer(view):
        if anchor.start() < done:
            continue
        end = anchor.end()
        while more := _MORE.match(view, end):
            end = more.end()
        border = _BORDER.match(view, max(done, anchor.start() - 2 * REACH), anchor.start())
        start = border.end() if border else max(done, anchor.start() - 2 * REACH)
        done = end
        lives = _LIVES.match(view, start, anchor.start())
        head = lives.end() if lives else start
        street = _STREET.search(view, head, anchor.start())
        if not street or _NO_STREET.search(view, head, street.end("kind")) or _NOT_A_DOOR.match(view, end):
            continue
        region = _REGION.search(view, head, street.end("kind"))
        door = _DOOR.search(view, anchor.start(), end)
        home = _HOME.search(view, max(0, start - 6), head)
        if sum(map(bool, (region, door, home))) >= 1:
            begin = region.start() if region else street.start()
            yield Finding(begin, end, "address-cn")


def find_english(view: str, text: str) -> Iterator[Finding]:
    """English addresses: number, street, suffix. ``text`` is the view before its case was folded, place by place.

    Streets are names, so their words begin with a capital (or a digit: 42nd), unless words before say who lives there.
    """
    for match in _STREET_EN.finditer(view):
        if text[match.end("suffix") : match.end("suffix") + 1].isalpha():
            continue  # the word goes on: "Terracewww.example.com", of which the view hides a part
        words = match["names"].split()
        if any(_SMALL_WORD.fullmatch(word) for word in words):
            continue
        if _YEAR.fullmatch(match["house"]) and re.search(r"(?:in|since|of|by|year)\s$", view[: match.start()][-8:]):
            continue
        written = text[match.start("names") : match.end("suffix")].split()
        named = all(word[0].isupper() or word[0].isdigit() for word in written) and any(
            word[0].isupper() for word in written
        )
        if named or _LIVES_AT.search(view, max(0, match.start() - REACH), match.start()):
            yield Finding(*match.span(), "address-en")
