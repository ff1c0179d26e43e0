"""Names by which a person is reached: e-mail, WeChat and QQ handles, number plates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters.private.findings import Finding
from filters.private.symbols import PROVINCES

_SEP = r"[ .\-]{0,2}"
_DOT = r"(?: ?[.] ?| ?[点點] ?)"

_LOCAL = re.compile(r"[a-z0-9._%+\-]{1,64}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,4}[a-z]{2,24}(?![a-z0-9])")
"""A host name with a top-level domain of letters (RFC 1035, 2.3.1), written as one piece."""
_SPACED_HOST = re.compile(
    rf" ?(?:qq|163|126|139|189|sina|sohu|foxmail|gmail|hotmail|outlook|yahoo|icloud){_DOT}(?:com|cn|net)"
)
"""The hosts of mailboxes, with room around the signs: ``name @ qq . com``, ``name@qq点com``."""
_ROLE = re.compile(
    r"(?:abuse|admin|billing|contact|feedback|git|hello|help|helpdesk|hr|info|jobs|kefu|legal|mail|marketing|media|news"
    r"|newsletter|no-?reply|office|postmaster|press|privacy|report|sales|security|services?|support|team|webmaster)"
)
"""Mailboxes of a role (RFC 2142 and their kind): an organisation's, not a person's."""

_STRONG = rf"[微威徽维薇]{_SEP}[信芯]|v{_SEP}信|加{_SEP}[微薇威v]|v{_SEP}x|w{_SEP}x|wechat|weixin"
_WEAK = rf"薇|[vw](?= ?[:=]|[ \-]?\d)|\+{_SEP}v"
_LINK = r"(?: ?(?:id|号码|账号|帐号|号|是|为|加|我|的|:|=|-|\*|\+|→)){0,5} ?"
_HANDLE = r"[a-z][a-z0-9_\-]{5,19}(?![a-z0-9_\-@.])"
_WECHAT = re.compile(
    rf"(?<![a-z])(?P<cue>{_STRONG}|{_WEAK})(?:(?<![a-z])|(?![a-z]))"
    rf"(?P<link>{_LINK})(?P<handle>{_HANDLE})"
)
_STRONG_CUE = re.compile(_STRONG)
_WXID = re.compile(r"(?<![a-z0-9])wxid_[a-z0-9]{8,20}(?![a-z0-9_])")
_SPACED = r"(?:[ \-*]{0,2}\d)"
_COUNTED = r"(?![a-z0-9_]| ?(?:元|块|万|亿|个|人|粉|赞|%))"
_WECHAT_NUMBER = re.compile(rf"(?<![a-z])(?:{_STRONG}|{_WEAK}){_LINK}(?P<handle>[1-9]{_SPACED}{{5,10}}){_COUNTED}")
_QQ = re.compile(
    rf"(?<![a-z])(?:q{_SEP}q|[扣抠叩]{_SEP}[扣抠叩]|企?鹅|[球秋]{_SEP}[球秋]|q(?= ?[:=]| ?号|{_SEP}\d))"
    rf"{_LINK}(?P<handle>[1-9]{_SPACED}{{4,10}}){_COUNTED}"
)

_FEWEST_DIGITS = re.compile(r"[0-9](?:[ .\-*]{0,2}[0-9]){4}")
"""Part of every handle in digits."""
_FEWEST_LETTERS = re.compile(r"[a-z][a-z0-9_\-]{5}")
"""Part of every handle that begins with a letter."""

_PLATE = re.compile(rf"[{PROVINCES}] ?[a-hj-np-z][ .\-*]?(?P<number>[a-hj-np-z0-9]{{4,6}}[警学挂港澳]?)(?![a-z0-9])")
_PLATE_NUMBER = re.compile(
    r"(?=(?:\d*[a-z]){0,2}\d*$)[a-z0-9]{5}|[a-z0-9]\d{3}[警学挂港澳]|[a-hjk][a-z0-9]\d{4}|\d{5}[a-hjk]"
)
"""Five signs with at most two letters, or four and the word for its use; of a new energy car six, with a letter first
(small) or last (large): GA 36-2018."""


def find_mail(view: str) -> Iterator[Finding]:
    """The addresses around each @ that belong to a person. Time is linear: 64 characters before, one match after."""
    at = view.find("@") if any(dot in view for dot in ".点點") else -1
    done = 0
    while at >= 0:
        host = _HOST.match(view, at + 1) or _SPACED_HOST.match(view, at + 1)
        if host:
            last = at - (view[at - 1 : at] == " " and host.re is _SPACED_HOST)
            start = last
            while start > max(done, last - 64) and _LOCAL.match(view[start - 1]):
                start -= 1
            while start < last and not view[start].isalnum():
                start += 1
            local = view[start:last]
            personal = local and local[-1].isalnum() and not _ROLE.fullmatch(local)
            if personal and view[start - 1 : start] not in ("@", "/", ":"):
                yield Finding(start, host.end(), "email")
                done = host.end()
        at = view.find("@", at + 1)


def find_handles(view: str) -> Iterator[Finding]:
    """WeChat and QQ handles after a cue. Letters alone are a handle only after a strong cue and a colon or its like."""
    if _FEWEST_DIGITS.search(view):
        for match in _QQ.finditer(view):
            yield Finding(*match.span("handle"), "qq")
        for match in _WECHAT_NUMBER.finditer(view):
            yield Finding(*match.span("handle"), "wechat")
    if "wxid_" in view:
        for match in _WXID.finditer(view):
            yield Finding(*match.span(), "wechat")
    if not _FEWEST_LETTERS.search(view):
        return
    for match in _WECHAT.finditer(view):
        linked = any(sign in match["link"] for sign in ":=号是为")
        if any(char.isdigit() for char in match["handle"]) or (linked and _STRONG_CUE.fullmatch(match["cue"])):
            yield Finding(*match.span("handle"), "wechat")


def find_plates(view: str) -> Iterator[Finding]:
    """Number plates of mainland China."""
    for match in _PLATE.finditer(view):
        if _PLATE_NUMBER.fullmatch(match["number"]) and any(char.isdigit() for char in match["number"]):
            yield Finding(*match.span(), "plate-cn")
