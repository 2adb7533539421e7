"""A contact sheet of the faces that people see differently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_edge.annotate._faces import shown
from fer_edge.annotate._store import StoredFace
from fer_edge.errors import FrameError
from fer_edge.evaluation.people import UNDECIDED, WORDS, People, consensus

MOST: Final = 40
"""Faces on the sheet."""
COLUMNS: Final = 5
SIDE: Final = 200
"""Pixels of a face's picture."""
TEXT: Final = 66
"""Pixels for the lines below it."""
APART: Final = 0.5
"""Mean distance from the median, in valence and arousal, from which a face counts as disputed."""


def disputed(people: People) -> list[int]:
    """Faces (columns) that are undecided or far apart in valence and arousal, the worst first."""
    labels, medians = consensus(people.labels, people.plane)
    answered = (people.labels != UNDECIDED).sum(0) > 1
    most = np.max([(people.labels == n).sum(0) for n in range(len(WORDS))], axis=0)
    doubt = 1 - most / np.maximum((people.labels != UNDECIDED).sum(0), 1)
    distance = np.linalg.norm(people.plane - medians, axis=2)
    known = ~np.isnan(distance)
    spread = np.where(known, distance, 0).sum(0) / np.maximum(known.sum(0), 1)
    chosen = np.flatnonzero(answered & ((labels == UNDECIDED) | (spread > APART)))
    return sorted(chosen.tolist(), key=lambda i: (-doubt[i] - spread[i], i))


def write_sheet(path: Path, folder: Path, faces: Sequence[StoredFace], people: People) -> int:
    """Write the sheet as PNG and return how many faces are disputed; no file if there is none."""
    found = disputed(people)
    if not found:
        path.unlink(missing_ok=True)
        return 0
    drawn = found[:MOST]
    rows = -(-len(drawn) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (SIDE + 10) + 10, rows * (SIDE + TEXT + 10) + 10), "white")
    font = ImageFont.load_default(13)
    for place, i in enumerate(drawn):
        left = 10 + place % COLUMNS * (SIDE + 10)
        top = 10 + place // COLUMNS * (SIDE + TEXT + 10)
        try:
            image = Image.fromarray(shown(folder, faces[i])[:, :, ::-1])
            image.thumbnail((SIDE, SIDE))
            if max(image.size) < SIDE:
                factor = SIDE / max(image.size)
                image = image.resize((round(image.width * factor), round(image.height * factor)))
            sheet.paste(image, (left + (SIDE - image.width) // 2, top))
        except FrameError:
            pass  # the words below it still say which one
        for line, text in enumerate(_lines(faces[i].file, people, i)):
            # The default font has Latin letters only.
            safe = text.encode("latin-1", "replace").decode("latin-1")
            ImageDraw.Draw(sheet).text(
                (left, top + SIDE + 4 + 19 * line), safe, "#22303c", font=font
            )
    sheet.save(path)
    return len(found)


def _lines(file: str, people: People, i: int) -> list[str]:
    """The file's name, its votes, and the range of valence and arousal."""
    counts = [((people.labels[:, i] == n).sum(), word) for n, word in enumerate(WORDS)]
    votes = ", ".join(f"{word} {n}" for n, word in sorted(counts, key=lambda c: -c[0]) if n)
    plane = people.plane[:, i][~np.isnan(people.plane[:, i]).any(1)]
    if not len(plane):
        return [file[:28], votes[:30]]
    (v0, a0), (v1, a1) = plane.min(0), plane.max(0)
    return [file[:28], votes[:30], f"v {v0:+.1f} to {v1:+.1f}, a {a0:+.1f} to {a1:+.1f}"]
