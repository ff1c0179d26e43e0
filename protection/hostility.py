"""How hostile a crowd's words are: the content part of the risk of a post, a room or a person (requirement W4)."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, sqrt

import msgspec

ORDINARY = 0.35
"""The hostility that the text verdict sees in ordinary short comments: their median."""
DOUBT = 4.0
"""So many ordinary remarks are taken for granted."""


class Remark(msgspec.Struct, frozen=True):
    """One text that was said to or about somebody."""

    text: str
    sender: str
    hostility: float
    """From 0 to 1: ``Scan.score``."""


def content_hostility(remarks: Iterable[Remark]) -> float:
    """From 0 to 1: how hostile these texts are as a whole; `ORDINARY` for none.

    The root of a weighed mean of squares::

        sqrt((sum(w * h * h) + DOUBT * ORDINARY ** 2) / (sum(w) + DOUBT))

    over the different texts, h being a text's hostility and w the root of the number of its senders. Why so:

    - *squares*: a crowd is told by the worst that it says; that the rest is bland or friendly makes little difference;
    - *different texts*: a slogan passed on a hundred times is one voice more or less, and dilutes nothing; yet a
      hundred accounts with the same insult are ten voices and not one: hence the *root* of the number of senders,
      and of senders, so that repeating oneself adds nothing;
    - *doubt*: of two remarks nobody can tell a crowd from a quarrel, so few are pulled towards what is ordinary.

    Texts are the same if they differ in case and white space only; a text of white space says nothing and is left out.
    The time is linear in the number of remarks, and their order makes no difference.
    """
    hostility: dict[str, float] = {}
    senders: dict[str, set[str]] = {}
    for remark in remarks:
        said = " ".join(remark.text.split()).casefold()
        if said:
            hostility[said] = max(hostility.get(said, 0.0), remark.hostility)
            senders.setdefault(said, set()).add(remark.sender)
    weights = {said: sqrt(len(names)) for said, names in senders.items()}
    squares = fsum(weight * hostility[said] ** 2 for said, weight in weights.items())
    return sqrt((squares + DOUBT * ORDINARY**2) / (fsum(weights.values()) + DOUBT))
