"""The page and what it asks for: for browsers on this machine only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, jsonify, request

from fer_edge.annotate._faces import shown
from fer_edge.annotate._store import SKIP, Answer, Store, StoredFace
from fer_edge.errors import FerEdgeError, FrameError
from fer_edge.evaluation.people import NOT_A_FACE
from fer_edge.types import EMOTIONS

HOSTS: Final = ("127.0.0.1", "localhost")
"""What a Host header may name: anything else is another site whose name leads here (DNS rebinding)."""
MAX_BYTES: Final = 4096
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(store: Store, folder: Path, annotator: str, faces: Sequence[StoredFace]) -> Flask:
    """The WSGI application for one annotator, with `faces` in the order in which they come."""
    app = Flask("fer_edge.annotate", static_folder="page", static_url_path="/page")
    app.config.update(TRUSTED_HOSTS=list(HOSTS), MAX_CONTENT_LENGTH=MAX_BYTES)
    known = {face.id: face for face in faces}

    def page() -> Response:
        return app.send_static_file("index.html")

    def state() -> Response:
        said = {one.face: asdict(one) for one in store.answers(annotator)}
        rows = [{"id": face.id, "file": face.file, "answer": said.get(face.id)} for face in faces]
        return jsonify(annotator=annotator, emotions=[str(e) for e in EMOTIONS], faces=rows)

    def picture(number: int) -> Response:
        import cv2

        if number not in known:
            abort(404)
        _, encoded = cv2.imencode(".png", shown(folder, known[number]))
        return Response(encoded.tobytes(), mimetype="image/png")

    def answer() -> Response | tuple[Response, int]:
        given = read_answer(request.get_json(silent=True))
        if given is None or given.face not in known:
            return jsonify(error="this is no answer"), 400
        store.put(annotator, given)
        return jsonify(saved=True)

    app.add_url_rule("/", view_func=page)
    app.add_url_rule("/state", view_func=state)
    app.add_url_rule("/picture/<int:number>", view_func=picture)
    app.add_url_rule("/answer", view_func=answer, methods=["POST"])
    app.before_request(refuse_other_sites)
    app.after_request(_with_headers)
    app.register_error_handler(FerEdgeError, _failed)
    return app


def refuse_other_sites() -> None:
    """Answer 403 to what a page of another site sends."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        abort(403)
    if request.method == "POST" and not request.is_json:
        abort(403)


def read_answer(given: Any) -> Answer | None:
    """An answer as the page sends it; None if it is no answer."""
    if not isinstance(given, dict) or type(given.get("face")) is not int:
        return None
    face, label = given["face"], given.get("label")
    if not isinstance(label, str):
        return None
    if label in {SKIP, NOT_A_FACE}:
        return Answer(face, label)
    valence, arousal = (_number(given.get(axis)) for axis in ("valence", "arousal"))
    intensity = given.get("intensity")
    # The circle, and what rounding adds to it.
    if label not in EMOTIONS or not math.hypot(valence, arousal) <= 1.001:
        return None
    if intensity is not None and (type(intensity) is not int or not 1 <= intensity <= 5):
        return None
    return Answer(face, label, valence, arousal, intensity)


def _number(value: object) -> float:
    """The value as a number; NaN if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def _with_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _failed(error: FerEdgeError) -> tuple[Response, int]:
    return jsonify(error=str(error)), 404 if isinstance(error, FrameError) else 500
