"""The naive views: every term at every stretch of a text, by the readings alone, without lattice, keys or kernel."""

from __future__ import annotations

from collections.abc import Iterator

from filters.folding import BREAK, Folding
from filters.views.compiled import Sighting, refusal
from filters.views.evidence import View, shuffles, spelled_apart, surprising, view_by_shape, view_by_sound
from filters.views.letters import Letters, is_latin
from filters.views.readings import syllable
from filters.views.words import Words


def sightings(terms: list[str], text: str) -> Iterator[Sighting]:
    """Every sighting of terms (folded letters) in a text, overlapping ones too, numbered as they stand in the list."""
    letters = Letters.of(text, Folding.shipped())
    sounding: set[tuple[str, ...]] = set()
    for number, term in enumerate(terms):
        if not spelled_apart(term):
            continue
        sound = tuple(map(syllable, term))
        first_of_its_sound = sound not in sounding
        sounding.add(sound)
        for start in range(len(letters.chars)):
            for end in range(start + 1, len(letters.chars) + 1):
                stretch = letters.chars[start:end]
                if BREAK in stretch:
                    break
                views = [view_by_shape(letters, start, end, term), _shuffled(letters, start, end, term)]
                if all(map(is_latin, stretch)):
                    view = view_by_sound(letters, start, end, term)
                    views.append(view if view is not None and refusal(term, view) is None else None)
                elif first_of_its_sound:
                    views.append(view_by_sound(letters, start, end, term))
                for view in filter(None, views):
                    yield Sighting(letters.places[start], letters.places[end - 1] + 1, number, view)


def _shuffled(letters: Letters, start: int, end: int, term: str) -> View | None:
    stretch = letters.chars[start:end]
    if refusal(term, View.SHUFFLED) is not None or stretch in Words.shipped().chinese or stretch not in shuffles(term):
        return None
    if any(letters.ends_sentence[start + 1 : end]) or not surprising(letters, start, end, term, View.SHUFFLED, 1):
        return None
    return View.SHUFFLED
