"""Faces and answers in one SQLite file in the folder of the pictures.

Every write is on the disk when the function returns: write-ahead log, synchronous=FULL.  Several
programs may use the file at once; each operation has a connection of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from fer_edge.errors import ConfigError, SinkError
from fer_edge.types import Detection

FILE: Final = "annotations.sqlite"
SKIP: Final = "skip"
BUSY_S: Final = 20.0
"""How long a write waits for that of another annotator."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS picture (file TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS face (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL, number INTEGER NOT NULL,
    x REAL, y REAL, width REAL, height REAL, angle REAL, UNIQUE (file, number));
CREATE TABLE IF NOT EXISTS answer (
    annotator TEXT NOT NULL, face INTEGER NOT NULL REFERENCES face (id), label TEXT NOT NULL,
    valence REAL, arousal REAL, intensity INTEGER,
    answered_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (annotator, face));
"""


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face to label; the box is None where the whole picture is the face."""

    id: int
    file: str
    number: int
    """Of the faces in its picture, from 0."""
    box: tuple[float, float, float, float] | None
    """x, y, width, height in pixels."""
    angle: float
    """Tilt, degrees, clockwise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator said of one face."""

    face: int
    label: str
    """One of the eight emotions, `skip` or `not a face`."""
    valence: float | None = None
    arousal: float | None = None
    intensity: int | None = None
    """1 to 5."""


class Store:
    """The file, by operation."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Open the file in `folder`, or begin it.

        Raises:
            ConfigError: there is none and `create` is off, or it is no such file.
            SinkError: it cannot be written.
        """
        self.path = folder / FILE
        if not create and not self.path.is_file():
            raise ConfigError(
                f"{folder}: no {FILE} in it; label faces with fer-edge annotate first"
            )
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(SCHEMA)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as connection, connection:
                connection.execute("PRAGMA synchronous=FULL")
                yield connection
        except sqlite3.OperationalError as error:
            raise SinkError(f"{self.path}: {error}; check its owner and the disk") from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{self.path}: {error}; move it away to begin again") from error

    def settle(self, name: str, value: str) -> str:
        """The value of a setting, which is `value` if it had none."""
        with self._connection() as connection:
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
            (found,) = connection.execute(
                "SELECT value FROM setting WHERE name = ?", (name,)
            ).fetchone()
            return str(found)

    def searched(self) -> set[str]:
        """Files in which faces were looked for already."""
        with self._connection() as connection:
            return {file for (file,) in connection.execute("SELECT file FROM picture")}

    def add(self, file: str, found: Sequence[Detection | None]) -> None:
        """Keep the faces of a picture, unless another annotator's program was quicker."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("INSERT OR IGNORE INTO picture VALUES (?)", (file,)).rowcount:
                return
            for number, one in enumerate(found):
                box = (None,) * 4 if one is None else tuple(asdict(one.box).values())
                angle = 0.0 if one is None else one.angle
                connection.execute(
                    "INSERT INTO face (file, number, x, y, width, height, angle) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (file, number, *box, angle),
                )

    def faces(self) -> list[StoredFace]:
        """All faces, in the order in which they were found."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, file, number, angle, x, y, width, height FROM face ORDER BY id"
            )
            return [
                StoredFace(id_, file, number, None if box[0] is None else tuple(box), angle)
                for id_, file, number, angle, *box in rows
            ]

    def annotators(self) -> list[str]:
        """Everybody who has answered, by name."""
        with self._connection() as connection:
            rows = connection.execute("SELECT DISTINCT annotator FROM answer ORDER BY annotator")
            return [name for (name,) in rows]

    def answers(self, annotator: str) -> list[Answer]:
        """The answers of one annotator."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT face, label, valence, arousal, intensity FROM answer "
                "WHERE annotator = ? ORDER BY face",
                (annotator,),
            )
            return [Answer(*row) for row in rows]

    def put(self, annotator: str, answer: Answer) -> None:
        """Keep an answer in place of the one before; it is on the disk when this returns."""
        with self._connection() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO answer "
                "(annotator, face, label, valence, arousal, intensity) VALUES (?, ?, ?, ?, ?, ?)",
                (annotator, *asdict(answer).values()),
            )
