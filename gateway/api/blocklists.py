"""A person's own blocked words (requirement P5)."""

from __future__ import annotations

from filters.own_words import OwnWords, OwnWordsError
from gateway.api.answers import BlocklistAnswer
from gateway.api.bodies import BlocklistBody, Nothing
from gateway.api.faults import bad_request
from gateway.api.operation import Call
from gateway.state.changes import Applied
from protection.blocklist import Blocklist


async def put(call: Call[BlocklistBody]) -> Applied:
    """Say which words a person does not want to be told; they replace the former ones."""
    try:
        words = OwnWords.parse(call.input.words).words
    except OwnWordsError as error:
        raise bad_request(f"words: {error}") from error
    return await call.gate.state.set_blocklist(call.ids["id"], Blocklist(words))


async def read(call: Call[Nothing]) -> BlocklistAnswer:
    """Which words a person does not want to be told."""
    return BlocklistAnswer(call.gate.state.blocklist_of(call.ids["id"]).words)


async def clear(call: Call[Nothing]) -> Applied:
    """Take back all of a person's words."""
    return await call.gate.state.set_blocklist(call.ids["id"], Blocklist())
