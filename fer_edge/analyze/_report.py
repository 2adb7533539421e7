"""The report: one HTML file with everything in it, for light and dark."""

import base64
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from typing import Final

import numpy as np

from fer_edge.analyze._reduce import Numbers, Span, column_s, stretches
from fer_edge.analyze._series import Series, Summary
from fer_edge.analyze._svg import (
    affect_over_time,
    circumplex,
    clock,
    emotions_over_time,
    lanes,
    name_of,
    symbol,
)
from fer_edge.modelcard import ModelCard
from fer_edge.types import EMOTIONS, Emotion

MAX_FACES: Final = 12
"""Faces with charts of their own; the rest is in the tables."""

MAX_PICTURES: Final = 500
"""Rows of the table of pictures."""


def report(summaries: Sequence[Summary], card: ModelCard) -> str:
    """The whole page; no name in it is a link to anywhere."""
    css = resources.files("fer_edge.analyze").joinpath("report.css").read_text("utf-8")
    title = summaries[0].name if len(summaries) == 1 else f"{len(summaries)} recordings"
    body = "".join(_recording(one) for one in summaries)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>fer-edge: {escape(title)}</title><style>{css}</style></head><body>"
        "<h1>Facial expressions</h1>"
        f"<p class='soft'>Model {escape(card.name)} on every frame, by fer-edge.</p>"
        f"{body}{_reliability_note(card)}</body></html>\n"
    )


def _recording(one: Summary) -> str:
    parts = [f"<section><h2>{escape(one.name)}</h2>", _facts(one)]
    if one.note:
        parts.append(f"<p>{escape(one.note)}</p>")
    if not one.faces:
        parts.append(f"<p>No face was found in its {one.frames} frames.</p>")
    elif one.still:
        parts.append(_pictures(one))
    else:
        parts.append(_timelines(one))
    return "".join([*parts, "</section>"])


def _facts(one: Summary) -> str:
    facts = [
        ("pictures" if one.still else "length", str(one.frames) if one.still else clock(one.end_s)),
        ("size", f"{one.width} × {one.height}"),
        ("faces", str(len(one.faces))),
        ("with a face", _percent(one.with_faces / max(1, one.frames))),
    ]
    if not one.still:
        facts.insert(1, ("frames", str(one.frames)))
    if one.unreadable:
        facts.append(("unreadable", str(one.unreadable)))
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f"<dl class='facts'>{cells}</dl>"


def _timelines(one: Summary) -> str:
    span = (0.0, max(one.end_s, 1e-3))
    faces = one.ranked()
    shown = faces[:MAX_FACES]
    parts = []
    if len(faces) > 1:
        rows = [(face.id, face.table()) for face in sorted(shown, key=lambda face: face.id)]
        lane = _figure("Who was there, and the emotion shown", lanes(rows, span))
        parts.append(f"<div class='lanes'>{lane}</div>")
    parts += [_face(face, span) for face in shown]
    if any(one.merged for face in shown for one in stretches(face.table(), span)):
        parts.append(
            "<p class='soft'>Some emotions were shown for less time than the charts can draw: of those "
            f"within {clock(column_s(span))}, the one shown longest is drawn, and probabilities are "
            "averaged. Every frame is in faces.csv.</p>"
        )
    if len(faces) > MAX_FACES:
        parts.append(
            f"<p class='soft'>{len(faces) - MAX_FACES} more faces, seen for a shorter time, are in "
            "faces.csv.</p>"
        )
    return "".join(parts)


def _face(face: Series, span: Span) -> str:
    table = face.table()
    main = face.main_emotion()
    seen = f"{clock(table[0, 0])} to {clock(table[-1, 0])}, {face.frames} frames"
    charts = (
        "<div>"
        + _figure("Probability of each emotion", emotions_over_time(table, span))
        + _figure("Valence and arousal", affect_over_time(table, span))
        + "</div>"
        + _figure("Path over the circumplex, from ○ to ●", circumplex(table))
    )
    return (
        f"<article class='face'><h3>{symbol(main)} Face {face.id}"
        f"<span class='soft'>mostly {name_of(main)}</span></h3>"
        f"<div class='soft'>{seen}; mean valence {_signed(table[:, 1].mean())}, "
        f"arousal {_signed(table[:, 2].mean())}</div>"
        f"{_legend(table)}<div class='charts'>{charts}</div>{_thumbnails(face)}</article>"
    )


def _legend(table: Numbers) -> str:
    """Each emotion with the share of frames in which it was shown."""
    numbers = table[:, 3].astype(int)
    items = []
    for index, emotion in [*enumerate(EMOTIONS), (-1, None)]:
        share = float(np.mean(numbers == index))
        if emotion is None and not share:
            continue
        items.append(
            f"<li><i style='background:var(--{name_of(emotion)})'></i>{symbol(emotion)}"
            f"{name_of(emotion)} <span class='soft'>{_percent(share)}</span></li>"
        )
    return f"<ul class='legend'>{''.join(items)}</ul>"


def _thumbnails(face: Series) -> str:
    if not face.thumbnails:
        return ""
    table = face.table()
    images = []
    for at, jpeg in face.thumbnails:
        emotion = _emotion(table[np.searchsorted(table[:, 0], at)])
        image = _image(jpeg, f"face {face.id} at {clock(at)}, {name_of(emotion)}")
        images.append(f"<figure>{image}<figcaption>{clock(at)}</figcaption></figure>")
    return f"<div class='thumbs'>{''.join(images)}</div>"


def _image(jpeg: bytes, what: str) -> str:
    """`what` is for those who do not see it."""
    data = base64.b64encode(jpeg).decode()
    return f"<img alt='{escape(what)}' src='data:image/jpeg;base64,{data}'>"


def _emotion(row: Numbers) -> Emotion | None:
    """What was shown in this row of a table."""
    number = int(row[3])
    return None if number < 0 else EMOTIONS[number]


def _pictures(one: Summary) -> str:
    """A row for each face of each picture."""
    faces = sorted(one.faces.values(), key=lambda face: face.id)
    head = "<tr><th>picture</th><th>face</th><th>emotion</th><th>confidence</th>"
    head += "<th class='number'>valence</th><th class='number'>arousal</th></tr>"
    rows = "".join(_picture_rows(one, faces[:MAX_PICTURES]))
    more = len(faces) - MAX_PICTURES
    rest = f"<p class='soft'>{more} more rows are in faces.csv.</p>" if more > 0 else ""
    return f"<table>{head}{rows}</table>{rest}"


def _picture_rows(one: Summary, faces: Sequence[Series]) -> Iterator[str]:
    for face in faces:
        values = face.table()[0]
        emotion = _emotion(values)
        confidence = float(values[4:].max() if emotion is None else values[4 + int(values[3])])
        file = one.pictures[face.id]
        image = "".join(
            _image(jpeg, f"face {face.id} in {file}, {name_of(emotion)}")
            for _, jpeg in face.thumbnails[:1]
        )
        yield (
            f"<tr><td>{escape(file)}</td><td><span class='who'>{image}{face.id}</span></td>"
            f"<td><span class='who'>{symbol(emotion)}{name_of(emotion)}</span></td>"
            f"<td><div class='bar'><i style='width:{confidence:.0%};"
            f"background:var(--{name_of(emotion)})'></i></div>{_percent(confidence)}</td>"
            f"<td class='number'>{_signed(values[1])}</td>"
            f"<td class='number'>{_signed(values[2])}</td></tr>"
        )


def _reliability_note(card: ModelCard) -> str:
    """How far the figures can be trusted, from the model's card."""
    metrics = card.metrics
    best = max(metrics.sensitivity, key=lambda one: metrics.sensitivity[one])
    worst = min(metrics.sensitivity, key=lambda one: metrics.sensitivity[one])
    known = [f"{axis.ccc:.2f}" for axis in (metrics.valence, metrics.arousal) if axis]
    return (
        "<aside><p><b>What this rests on.</b> An expression is what a face shows, not what a person "
        f"feels. On {escape(metrics.dataset)} the model names {_percent(metrics.accuracy)} of "
        f"{metrics.samples} faces as people did ({escape(metrics.label_source)}); it finds "
        f"{_percent(metrics.sensitivity[best])} of {best.value} and "
        f"{_percent(metrics.sensitivity[worst])} of {worst.value}.</p>"
        f"<p><b>Valence and arousal</b> were learnt from values "
        f"{escape(metrics.valence_arousal_source)}. Concordance with them (CCC): "
        f"{' and '.join(known) or 'not measured'}.</p>"
        "<p>Probabilities, valence and arousal are smoothed over time as configured under "
        "<i>tracking</i>; every value is in faces.csv and faces.jsonl.</p></aside>"
    )


def _figure(caption: str, content: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{content}</figure>"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
