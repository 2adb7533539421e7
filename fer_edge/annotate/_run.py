"""`fer-edge annotate`: the faces of a folder on a page for one annotator, until it is stopped."""

from __future__ import annotations

import importlib
import logging
import re
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path

from fer_edge.annotate._consensus import undecided
from fer_edge.annotate._faces import find_faces, shuffled
from fer_edge.annotate._store import Store, StoredFace
from fer_edge.errors import ConfigError, SourceError

NAME = re.compile(r"[^\W_][\w .-]{0,39}")


def annotate(
    folder: Path,
    annotator: str,
    *,
    port: int,
    whole: bool,
    only_undecided: bool,
    say: Callable[[str], None],
) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C; `say` is given lines for the person.

    Raises:
        FerEdgeError: the folder, its pictures, the name or the port cannot be used.
    """
    require("flask", "fer-edge annotate")
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; name one with pictures")
    name = checked_name(annotator)
    listening = listen(port)
    store = Store(folder)
    for other in store.annotators():
        if other != name and other.casefold() == name.casefold():
            raise ConfigError(f"--annotator {name}: has answered as {other}; write it that way")
    faces = find_faces(store, folder, whole=whole)
    if only_undecided:
        wanted = undecided(store, faces, without=name)
        faces = [face for face in faces if face.id in wanted]
        if not faces:
            raise ConfigError(
                f"{folder}: --undecided: every face is decided; nothing is left to do"
            )
    _serve(store, folder, name, shuffled(faces, name), listening, say=say)


def _serve(
    store: Store,
    folder: Path,
    name: str,
    faces: list[StoredFace],
    listening: socket.socket,
    *,
    say: Callable[[str], None],
) -> None:
    from werkzeug.serving import make_server

    from fer_edge.annotate._app import make_app

    # A line for each request is of no use to anybody here.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    address, port = listening.getsockname()
    app = make_app(store, folder, name, faces)
    with make_server(address, port, app, threaded=True, fd=listening.fileno()) as server:
        say(f"{len(faces)} faces for {name}: open http://{address}:{port}/ - Ctrl-C ends it")
        server.serve_forever()
    say(f"every answer is in {store.path}")


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes any that is free.

    Raises:
        ConfigError: the port is taken or not allowed.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"--port {port}: {error.strerror}; give another, or none for one that is free"
        ) from None
    return listening


def checked_name(name: str) -> str:
    """The annotator's name in one spelling.

    Raises:
        ConfigError: it is no name.
    """
    written = unicodedata.normalize("NFC", name).strip()
    if not NAME.fullmatch(written):
        raise ConfigError(
            f"--annotator {name!r}: write up to 40 letters, digits, spaces, dots or dashes, "
            "a letter or digit first"
        )
    return written


def require(package: str, what: str) -> None:
    """Raise ConfigError where a package of the extra is missing."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise ConfigError(
            f"{what} needs {package}, which is not installed; pip install 'fer-edge[annotate]'"
        ) from None
