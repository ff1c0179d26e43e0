"""The default ladders are those of the classification standard, and no other."""

from __future__ import annotations

from typing import get_args

import pytest

from filters import standard
from filters.classes import Harm
from filters.hits import Severity
from protection.policy import Policy
from protection.verdicts import Disposition


@pytest.mark.req("W1")
@pytest.mark.parametrize("harm", Harm)
@pytest.mark.parametrize("severity", Severity)
def test_the_policy_does_by_default_what_the_standard_says(harm: Harm, severity: Severity) -> None:
    word = standard.shipped().classes[harm].severity[severity].disposition
    assert Policy().disposition_of(harm, severity).word == word


@pytest.mark.req("W1")
def test_the_words_of_the_standard_are_the_dispositions() -> None:
    assert set(get_args(standard.DispositionWord)) == {disposition.word for disposition in Disposition}


@pytest.mark.req("W1", "O3")
def test_an_operator_may_differ_from_the_standard() -> None:
    ladder = (Disposition.ALLOW, Disposition.MASK, Disposition.REJECT)
    policy = Policy(ladders={Harm.INSULT: ladder})
    assert policy.ladders[Harm.INSULT] == ladder
    assert policy.ladders[Harm.HATRED] == Policy().ladders[Harm.HATRED]
