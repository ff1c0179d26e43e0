"""The classes of harm (requirement W1; notice 1.1: standards for the classification of cyber violence information)."""

from __future__ import annotations

from enum import StrEnum


class Harm(StrEnum):
    """A class of harm. The value is the class id in lexicons, policies, verdicts and metrics."""

    INSULT = "insult"
    DEFAMATION = "defamation"
    MOCKERY = "mockery"
    THREAT = "threat"
    PRIVACY = "privacy"
    PILE_ON = "pile-on"
    SELF_HARM = "self-harm"
    """Inducing or forcing somebody else to harm themselves."""
    DISTRESS = "distress"
    """Somebody speaks of harming themselves: helped, never punished."""
    HATRED = "hatred"
    SEXUAL = "sexual"
    RUMOUR = "rumour"
    MARKETING = "marketing"
