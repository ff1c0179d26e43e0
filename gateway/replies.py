"""What people are told: reasons in Chinese and English, and the bodies of the contract."""

from __future__ import annotations

from typing import Any

import msgspec

from protection.notices import Notice, Topic

REASONS: dict[str, tuple[str, str]] = {
    "insult": ("这条消息含有辱骂，没有送达。", "This message contains insults and was not delivered."),
    "defamation": ("这条消息可能构成诽谤，没有送达。", "This message may be defamatory and was not delivered."),
    "mockery": ("这条消息含有羞辱，没有送达。", "This message humiliates somebody and was not delivered."),
    "threat": ("这条消息含有威胁，没有送达。", "This message contains a threat and was not delivered."),
    "privacy": ("这条消息涉及他人隐私。", "This message exposes private data."),
    "pile-on": ("这条消息煽动围攻他人，没有送达。", "This message calls for a pile-on and was not delivered."),
    "self-harm": ("这条消息教唆他人自伤，没有送达。", "This message urges self-harm and was not delivered."),
    "hatred": ("这条消息含有对群体的仇恨，没有送达。", "This message spreads hatred of a group and was not delivered."),
    "sexual": ("这条消息含有性骚扰，没有送达。", "This message is sexual harassment and was not delivered."),
    "rumour": ("这条消息的真实性存疑。", "This message may spread a rumour."),
    "marketing": ("这条消息像是营销引流。", "This message looks like advertising."),
    "protected": (
        "对方已开启保护，暂不接收陌生人的消息。",
        "This person is protected and takes no messages from strangers now.",
    ),
    "own-word": (
        "对方不接收含有某些字词的消息，这条消息没有送达。",
        "This person takes no messages with certain words; it was not delivered.",
    ),
    "own-user": ("对方不接收你的消息。", "This person takes no messages from you."),
    "own-class": (
        "对方不接收这类内容，这条消息没有送达。",
        "This person takes no messages of this kind; it was not delivered.",
    ),
    "muted": ("你已被禁言。", "You are muted."),
    "dm-suspended": ("你的私信功能已被暂停。", "Your direct messages are suspended."),
    "account-closed": ("此账号已被关闭。", "This account has been closed."),
    "room-circle-only": ("本房间现在只有主播的朋友可以发言。", "Only the owner's circle may speak in this room now."),
    "room-read-only": ("本房间现在不可发言。", "This room is read-only now."),
    "room-shut": ("本房间已关闭。", "This room has been shut."),
    "room-slow": ("本房间已开启慢速模式，请稍后再发。", "This room is in slow mode; try again later."),
    "flood": ("你发得太快了，请稍后再发。", "You are sending too fast; try again later."),
    "sender-flood": ("你发得太快了，请稍后再发。", "You are sending too fast; try again later."),
    "strangers-reached": (
        "你在短时间内给太多陌生人发了私信，请稍后再发。",
        "You have written to too many strangers; try again later.",
    ),
    "dm-flood": ("你发私信太快了，请稍后再发。", "You are sending direct messages too fast; try again later."),
    "stranger-dm": ("你给对方的私信太多了，请稍后再发。", "Too many direct messages to this person; try again later."),
    "strangers-dm": ("对方暂时收到太多陌生人私信。", "This person is receiving too many messages from strangers."),
    "dm-closed": ("对方不接收私信。", "This person takes no direct messages."),
    "dm-scope": ("对方只接收部分用户的私信。", "This person takes direct messages from certain accounts only."),
    "dm-quiet": (
        "对方现在不接收陌生人的私信，请稍后再发。",
        "This person takes no direct messages from strangers at this hour; try again later.",
    ),
    "dm-awaiting-reply": (
        "对方回复之前，你只能发送一条私信。",
        "You can send one direct message until this person replies.",
    ),
    "unauthenticated": ("请先登录再发言。", "Sign in before you send messages."),
    "unavailable": ("服务正在启动或恢复，请稍后再试。", "The service is starting or recovering; try again shortly."),
    "upstream-unavailable": ("平台暂时无法连接，请稍后再试。", "The platform cannot be reached; try again shortly."),
    "invalid-json": ("消息不是有效的 JSON。", "The message is not valid JSON."),
    "ambiguous-json": ("消息的 JSON 有歧义（重复的键）。", "The message's JSON is ambiguous (a key is repeated)."),
    "invalid-form": ("消息不是有效的 UTF-8 表单。", "The message is not a valid UTF-8 form."),
    "ambiguous-form": ("消息的表单有歧义（重复的字段）。", "The message's form is ambiguous (a field is repeated)."),
    "invalid-utf8": ("消息不是有效的 UTF-8。", "The message is not valid UTF-8."),
    "missing-field": ("消息缺少必需的字段。", "The message lacks a needed field."),
    "wrong-type": ("消息中有字段的类型不对。", "A field of the message has the wrong type."),
    "binary-frame": ("此处不接受二进制消息。", "Binary messages are not accepted here."),
    "too-large": ("消息太大。", "The message is too large."),
    "unsupported-media-type": ("不支持此内容类型或编码。", "This content type or encoding is not supported here."),
    "unknown-route": ("没有这个地址。", "There is nothing at this address."),
    "ambiguous-request": (
        "请求有歧义：重要的参数或头部重复、缺失或被声明为逐跳。",
        "The request is ambiguous: a parameter or header that matters is repeated, missing or declared hop-by-hop.",
    ),
    "ambiguous-path": ("地址有歧义。", "The path is ambiguous."),
}

NUDGE = (
    "这句话可能会伤害到别人。想一想，如果仍要发送，请再发一次。",
    "These words may hurt somebody. If you still want to send them, send them again.",
)
MASKED = ("消息已送达，其中部分内容已被遮盖。", "The message was delivered with parts of it masked.")
SUPPORT = (
    "你并不孤单。如果你正处在痛苦之中，请联系身边的人，或拨打心理援助热线 12356；紧急时请拨打 120 或 110。",
    "You are not alone. If you are in pain, reach out to somebody near you or call a crisis line "
    "(mainland China 12356); in an emergency call your local emergency number.",
)

NOTICES: dict[Topic, tuple[str, str]] = {
    Topic.PROTECT: (
        "你可能正在遭受网络暴力。打开下面的链接并确认，即可一键开启防护，屏蔽陌生人的私信、评论、转发、@和弹幕。",
        "You may be under attack. Open the link and confirm to close your direct messages, comments, forwards, "
        "mentions and barrages to strangers.",
    ),
    Topic.PROTECTION_ENDING: (
        "你的防护将在 12 小时内结束。如仍需要，请延长。",
        "Your protection ends within 12 hours. Extend it if you still need it.",
    ),
    Topic.PROTECTION_ENDED: (
        "你的防护已结束，之前的设置已恢复。",
        "Your protection has ended; your former settings are in force again.",
    ),
}


class Language(msgspec.Struct, frozen=True):
    """Which of the two languages a client is answered in; both, where it does not say."""

    chinese: bool = True
    english: bool = True

    @classmethod
    def of(cls, accept_language: str) -> Language:
        """The first of zh and en that ``Accept-Language`` names (RFC 9110, section 12.5.4); both when neither."""
        for part in accept_language.lower().split(","):
            tag = part.strip()
            if tag.startswith("zh"):
                return cls(english=False)
            if tag.startswith("en"):
                return cls(chinese=False)
        return cls()

    def say(self, words: tuple[str, str]) -> str:
        """The words in this language."""
        return " / ".join(text for text, wanted in zip(words, (self.chinese, self.english), strict=True) if wanted)


def reply(
    language: Language,
    disposition: str,
    reason: str,
    id: Any = None,  # noqa: A002 - the wire's own name
    retry_after: float = 0,
    token: str = "",
    detail: str = "",
) -> dict[str, Any]:
    """A ``shieldwire.verdict`` of the contract.

    ``appeal`` is empty as long as the deployment has no channel for appeals. ``detail`` (for malformed messages only)
    names the field at fault.
    """
    words = {"nudge": NUDGE, "mask": MASKED}.get(disposition) or REASONS[reason]
    body = {
        "type": "shieldwire.verdict",
        "id": id,
        "disposition": disposition,
        "reason": reason,
        "message": language.say(words),
        "retry_after": round(retry_after, 3),
        "appeal": "",
    }
    if token:
        body["token"] = token
    if detail:
        body["detail"] = detail
    return body


def notice(language: Language, told: Notice) -> dict[str, Any]:
    """A ``shieldwire.notice`` of the contract; ``until`` (unix seconds) where there is an end to tell."""
    body: dict[str, Any] = {"type": "shieldwire.notice", "topic": told.topic.value}
    body |= {"message": language.say(NOTICES[told.topic]), "link": told.link}
    return {**body, "until": told.until} if told.until else body


def support_notice(language: Language) -> dict[str, Any]:
    """The ``shieldwire.notice`` that a person in distress is sent (requirement S5)."""
    return {"type": "shieldwire.notice", "topic": "support", "message": language.say(SUPPORT), "link": ""}
