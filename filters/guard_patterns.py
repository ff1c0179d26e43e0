"""The words that the context guards read, Chinese and English: what stands right before (``$``) or after a hit.

All expressions read the context as ``filters.guards.Context`` folds it (simplified, lower case, ``'`` for apostrophes)
and are bounded, so that no text makes one slow.
"""

from __future__ import annotations

import re


def _either(chinese: str, english: str) -> re.Pattern[str]:
    """One expression of two; in both, white space is there for the eye and ``_`` stands for a space in the text."""
    return re.compile("|".join(re.sub(r"\s+", "", part).replace("_", " ") for part in (chinese, english)))


KEPT = {
    **dict.fromkeys(map(ord, '“”"「」『』〝〞＂'), ord('"')),
    **dict.fromkeys(map(ord, "‘’'＇"), ord("'")),
    **dict.fromkeys(map(ord, "：:"), ord(":")),
    **dict.fromkeys(map(ord, "？?"), ord("?")),
}
"""The marks that the expressions read, which the folding would make one."""

CLAUSE_ENDS = ",?"
"""What ends a clause, so folded; a full stop and a space do, too."""

DENIAL, FORBIDDING, TELLING, OF_ME, NAMED, NAMING, QUOTE, SELF_NAMED, AIM = (1 << bit for bit in range(9))

CUES: dict[int, tuple[str, str]] = {
    DENIAL: ("不非", "not never isn* aren* ain* wasn* weren*"),
    FORBIDDING: (
        "不禁拒抵反停别勿莫杜防避阻",
        "don* do never please not stop without against won* will shouldn* mustn* nobody no",
    ),
    TELLING: (
        "骂喷喊叫称威诅咒说嘲发回留私评弹短刷用",
        "call* tell* told said say* yell* scream* shout* messag* text* dm* named label* threaten* use using",
    ),
    OF_ME: ("我俺咱", "me us my"),
    NAMED: ("词字称外什", "word* term* slur* phrase* name* insult* thing* comment* message*"),
    NAMING: ("词字话称绰外说标言骂侮歧脏贬蔑违犯错不", "slur* insult* derog* bad*"),
    QUOTE: ("\"'", ""),
    SELF_NAMED: ("我俺本自", "i im am ive make makes"),
    AIM: ("你您主", "you* u ur"),
}
"""Cues, some part of what an expression needs: characters, and Latin words (``*``: all that begin so).

An expression whose docstring names a cue matches nothing without it; ``filters.cues`` finds them all in one pass.
"""

ADDRESSED = _either(r"你|您", r"\b(?:you|your|ur|u|youre)\b")
"""The words themselves address somebody. Cue: ``AIM``."""

DENIED = _either(
    r"""(?<![是要岂可还就莫怕别谁])(?:不是|并非|并不是|不算|不像|才不是)
        (?:什么|那种|这种|所谓的?|一?个)?["']?$""",
    r"""\b(?:not|never|isn'?t|aren'?t|ain'?t|wasn'?t|weren'?t)
        (?:_(?:an?|the|such|really|even|being|some|any|another|actually))*_["']?$""",
)
"""Denies the words that follow: ``你不是``, ``she is not a``. Cue: ``DENIAL``."""

FORBIDDEN = _either(
    r"""(?<![不没])(?:不要|不许|不准|不能|不可以|不该|不应该|禁止|拒绝|抵制|反对|停止|别|请勿|勿|莫|杜绝|防止|避免|阻止|不会)
        (?:再|去|又|继续|随便|随意|想着|一起|参与|跟风|跟着|轻易|这样|任何){0,3}["']?$""",
    r"""\b(?:don'?t|do_not|never|please_not|not|stop|without|against|won'?t|will_not|shouldn'?t|mustn'?t|nobody_should
        |no_one_should)(?:_(?:ever|even|go|try_to|want_to|going_to|gonna|be|to)){0,3}_["']?$""",
)
"""Warns against the deed that follows: ``不要再去``, ``please don't ever``. Cue: ``FORBIDDING``."""

TURNED_AROUND = _either(
    r"难道|岂|凭什么不|怎么不|为什么不|何不|如果|要是|除非|再不",
    r"\b(?:why|if|unless|until|when)\b",
)
"""Turns a negation into a demand: ``why not``, ``if you don't``, ``怎么不``."""

QUESTION_AFTER = _either(
    r"[^,?]{0,12}(?:吗|嘛|么(?=[,?]|$)|是什么|是啥|还是|谁是|才怪|\?)",
    r"_?(?:or_what|tho(?:ugh)?_huh)?_?\?",
)
"""Makes a denial a reproach: ``你不是傻逼吗``, ``你不是傻逼是什么``."""

_LINK_ZH = r"""(?:了|过|着)?(?:是|像|为|做|成)?(?:个|一个|什么)?[:"'\-_]{0,3}"""
_LINK_EN = r"""(?:_(?:that|i'?m|i_am|to|go|an?|the|such|like|names|just|fucking|stupid))*[:"'_\-]{0,4}$"""

REPORTED_OF_ME = _either(
    rf"""(?:骂|喷|喊|叫|称呼?|辱骂|威胁|诅咒|咒|说|嘲笑)(?:了|过)?(?:我们|咱们|我|俺)(?:爸|妈|家人|孩子|女儿|儿子|妹|弟|姐|哥)?
         {_LINK_ZH}$
       | (?:对|跟|和|向|给)(?:我们?)(?:发|说|喊|骂|回复?|留言)(?:了|过)?(?:一?句|私信)?{_LINK_ZH}$
       | (?:私信|评论|弹幕|短信)(?:里)?(?:骂|威胁|诅咒)?我[:"'\-_]{{1,3}}$""",
    rf"""\b(?:call(?:s|ed|ing)?|told|tells|telling|tell(?=_(?:me|us)_to\b)|said_to|saying_to|yelled_at|screamed_at
         |shouted_at|messaged|texted|dmed|dm'd|named|labell?ed|threatened)
         _(?:me|us|my_\w+)(?:_(?:today|again|yesterday|twice))?{_LINK_EN}""",
)
"""Somebody did it to the speaker. Cues: ``TELLING`` and ``OF_ME``."""

REPORTED_OF_OTHERS = _either(
    rf"""(?:有些?人|总有人|他们?|她们?|人家|别人|网友|弹幕|评论|黑粉|喷子|键盘侠|那些人|这些人|一堆人|很多人|好多人|被(?:人|网友)?)
         [^,?你]{{0,8}}?(?:骂|喷|喊|叫|称呼?|辱骂|刷)(?:别人|人家|人|对方|她们?|他们?|女生|男生|孩子|同学|主播)?{_LINK_ZH}$
       | (?:不要|别|请勿|不能|不许|不该|不应该|停止|拒绝)[^,?你]{{0,6}}(?:用|叫|骂|喊|称呼|称|说|刷)[^,?你]{{0,5}}$""",
    rf"""\b(?:called|calls|calling|told|tells|telling|labell?ed|labell?ing)
         _(?:him|her|them|someone|somebody|people|anyone|others|(?:an?|the|my|your|this|that|his)_\w+(?:_\w+)?
         |women|girls|kids|men|players?){_LINK_EN}
       | \b(?:don'?t|do_not|never|stop|shouldn'?t|should_not|can'?t|cannot|quit|ok(?:ay)?_to|wrong_to)
         (?:_\w+)?_(?:(?:call|calling)(?:_(?!you\b|ur?\b)\w+){{0,3}}|(?:say|saying|use|using)(?:_the)?)_["']?$""",
)
"""Somebody did it to a third, or is asked not to. Cue: ``TELLING``."""

OWN_VOICE = _either(
    r"我就|我要|我想|我来|我偏|我们一起|大家一起|一起|都来|都去|快去|给我|继续",
    r"\b(?:(?:i|i'm|im|i'll|we|let'?s|keep|start|everyone|everybody|love|enjoy)_(?:\w+_)?|please_)(?:call|tell|label)",
)
"""It is the speaker who says it to the third, or calls for it: no report."""

ENDORSED = _either(
    r"活该|怎么了|没错|说得对|骂得好|[她他]就是|本来就是|确实是|也不冤|不过分",
    r"\b(?:deserve[ds]?|rightly|rightfully|and_(?:he|she|they)_(?:is|are|was)|had_it_coming)\b",
)
"""The speaker agrees with what is reported: ``被骂傻逼活该``."""

MENTIONED_BEFORE = _either(
    r"""(?:这|那)(?:个|些|种)(?:词|字|称呼|外号)(?:叫|是)?["']?$ | [说骂叫喊]什么["']?$""",
    r"""\b(?:the|this|that|a)_(?:word|term|slur|phrase)s?(?:_like|_such_as)?_["']?$
      | \b(?:words|terms|slurs|names|insults|things|comments|messages)_(?:like|such_as)_["']?$""",
)
"""The word as a word: ``the word``, ``slurs like``, ``骂什么``. Cue: ``NAMED``."""

MENTIONED_AFTER = _either(
    r"""["'\-_]{0,2}(?:(?:这|那|之类|等|一)(?:个|种|类|些|样)?(?:侮辱性|歧视性)?的?(?:词|字眼|字|话|称呼|绰号|外号|说法|标签|言论)
        |(?:称呼?|叫|骂)(?:别?人|人家|[他她]们?|对方|谁)(?:都|就|也)?(?:是|属于|算)(?:一种|在)?(?:\w{2})?(?:歧视|侮辱)
        |(?:是|属于|算)(?:一种|在)?(?:骂人|侮辱|歧视|脏话|贬义|蔑称|违法|犯法|犯罪|错的|不对的))""",
    r"""["'_\-]{0,2}(?:is|are|was)(?:_\w+){0,2}_(?:slurs?|insults?|derogatory|bad_words?)\b""",
)
"""The word as a word: ``这种话``, ``is a slur``. Cue: ``NAMING``."""

REPORTING = _either(
    r"骂[我人他她]|说我|[对跟和]我说|私信|发给我|发来|威胁|被骂|被叫|被人|举报[了过]|已经?举报|报警|报了警|截图|这种话|这样的话|这个?词|称呼|侮辱|歧视",
    r"\b(?:calls|called|calling|told|says|said|saying|wrote|writes|sent|sends|report(?:ed|ing)|received|slurs?|"
    r"messages?|comments?)\b",
)
"""Beside a quotation: says that it is one, not emphasis (``你这个“傻逼”``)."""

OPENED = re.compile(r"(?<![a-z])[\"'][^\"']{0,12}$")
CLOSED = re.compile(r"[^\"']{0,12}[\"']")
"""Quotation marks around the hit. Cue: ``QUOTE``, on both sides."""

SELF = _either(
    r"""(?<![跟和对给让被])(?:我们?|俺|本人|(?<![你您他她])自己)(?:自己)?
        (?:可|还|也|都|就|真的?|简直|果然|大概|可能|当时|以前|现在|今天|又|才|太|好|确实|像|跟|觉得自己|是|成了|变成|个|一个|条|只|这个?)*_?["']?$""",
    r"""\b(?:i'?m|i_am|i_was|i_(?:feel|felt|look|looked|sound|act|acted)_like|makes?_me(?:_look)?(?:_like)?|i'?ve_been|am_i)
        (?:_(?:such|an?|the|just|really|honestly|also|still|being|so|literally|probably|basically|always|kind_of|totally|
        like|that|fucking|stupid|little|big|dumb|absolute|complete|total))*_["']?$""",
)
"""The speaker is the subject and the term the predicate. Cue: ``SELF_NAMED``."""

_YOU_ZH = r"(?:你们?|您|主播|楼主|up主|博主)"

AIMED_BEFORE = _either(
    rf"""{_YOU_ZH}(?:自己|本来|就|真的?|这|这个|这种|这帮|这群|个|是|太|好|简直|一个|算个?|他妈的?|tm的?|还|也|都|是不是|果然|永远|
         一辈子|才|像个?|跟个?|可真|特别|死|老|臭)*[_"']*$""",
    r"""\b(?:you|u|ur|you'?re|your_?e|your_a|you_(?:are|r|were|look|sound|act|seem)|are_you|r_u)(?:_(?:all|guys|two|both|are|r|is))?
        (?:_(?:such|an?|the|so|too|really|just|literally|all|absolute|absolutely|fucking|f'?in|damn|total|complete|
        completely|little|most|like|as|pretty|truly|very|biggest|nothing_but|fat|ugly|dumb|stupid|old|actual))*_["']*$""",
)
"""The person addressed is the subject of the term: ``你真是个``, ``you are such a``. Cue: ``AIM``."""

AIMED_AFTER = _either(
    r"[,_]?(?:你们?|主播|楼主)(?=[,?]|$|就|别|给|滚|快|还|去|怎么|也|闭)",
    r"_?,?_(?:you_are|you'?re|ur|u_are)\b(?:_|,|\?|\.|$)",
)
"""The person addressed follows: ``垃圾主播``, ``pathetic, you are``. Cue: ``AIM``."""
