"""A person's own blocked words, users and classes (requirement P5)."""

from __future__ import annotations

from filters.classes import Harm
from filters.own_words import OwnWords, OwnWordsError
from gateway.api.answers import BlocklistAnswer
from gateway.api.bodies import BlocklistBody, Nothing
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.blocklist import Blocklist, Listed


async def put(call: Call[BlocklistBody]) -> Applied:
    """Say what a person does not want to be told, and by whom; it replaces the former lists."""
    wanted, person = call.input, call.ids["id"]
    if wanted.words is None and wanted.users is None and wanted.classes is None:
        raise bad_request("words, users, classes: at least one list is needed; an empty one ends it")
    users, classes = tuple(dict.fromkeys(wanted.users or ())), tuple(dict.fromkeys(wanted.classes or ()))
    if person in users:
        raise bad_request("users: nobody blocks themselves")
    if Harm.DISTRESS in classes:
        raise bad_request("classes: distress cannot be blocked; a cry for help is always delivered")
    try:
        words = OwnWords.parse(wanted.words or ()).words
    except OwnWordsError as error:
        raise bad_request(f"words: {error}") from error
    filled = {listed for listed, entries in zip(Listed, (words, users, classes), strict=True) if entries}
    hide = tuple(listed for listed in Listed if listed in wanted.hide and listed in filled)
    return await call.gate.state.set_blocklist(person, Blocklist(words, users, classes, hide))


async def read(call: Call[Nothing]) -> BlocklistAnswer:
    """What a person does not want to be told, and by whom."""
    held = call.gate.state.blocklist_of(call.ids["id"])
    return BlocklistAnswer(held.words, held.users, held.classes, held.hide)


async def clear(call: Call[Nothing]) -> Applied:
    """Take back all of a person's lists."""
    return await call.gate.state.set_blocklist(call.ids["id"], Blocklist())
