"""The sentences in which a group's name is swapped."""

from __future__ import annotations

import pytest

from filters import swaps

pytestmark = pytest.mark.req("W3")

FRAMES = list(swaps.frames())
GROUPS = {"region", "gender", "race", "religion", "age", "occupation", "orientation"}


def test_both_languages_have_every_group_in_every_tone() -> None:
    found = {(frame.language, frame.group, frame.tone) for frame in FRAMES}
    tones = ("neutral", "praise", "criticism")
    assert found == {(language, group, tone) for language in ("zh", "en") for group in GROUPS for tone in tones}


def test_each_sentence_has_one_place_and_each_name_is_there_once() -> None:
    for frame in FRAMES:
        assert frame.sentence.count(swaps.PLACE) == 1, frame.sentence
        assert len(set(frame.words)) == len(frame.words) >= 6, frame.group
        assert frame.plain not in frame.words
    assert len({frame.sentence for frame in FRAMES}) == len(FRAMES)


def test_a_name_takes_the_place() -> None:
    frame = next(frame for frame in FRAMES if frame.sentence == "my flatmate is a {}")
    assert frame.with_word(frame.words[0]) == "my flatmate is a Christian"
