"""The answers in the store as the arrays that `evaluation` works on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_edge.annotate._store import Store, StoredFace
from fer_edge.evaluation.people import UNDECIDED, WORDS, People, consensus


def people_of(store: Store, faces: Sequence[StoredFace], without: str = "") -> People:
    """What everybody but `without` said of the faces; what was skipped is no answer."""
    names = tuple(name for name in store.annotators() if name != without)
    column = {face.id: i for i, face in enumerate(faces)}
    labels = np.full((len(names), len(faces)), UNDECIDED, np.int64)
    plane = np.full((len(names), len(faces), 2), np.nan)
    intensity = np.full((len(names), len(faces)), np.nan)
    numbers = {word: number for number, word in enumerate(WORDS)}
    for row, name in enumerate(names):
        for one in store.answers(name):
            if one.face not in column or one.label not in numbers:
                continue
            labels[row, column[one.face]] = numbers[one.label]
            if one.valence is not None and one.arousal is not None:
                plane[row, column[one.face]] = one.valence, one.arousal
            if one.intensity is not None:
                intensity[row, column[one.face]] = one.intensity
    return People(names, labels, plane, intensity)


def undecided(store: Store, faces: Sequence[StoredFace], *, without: str = "") -> set[int]:
    """Faces (ids) that were answered, but have no answer of more than half."""
    people = people_of(store, faces, without)
    labels, _ = consensus(people.labels, people.plane)
    asked = (people.labels != UNDECIDED).any(0)
    return {
        face.id for face, open_ in zip(faces, asked & (labels == UNDECIDED), strict=True) if open_
    }
