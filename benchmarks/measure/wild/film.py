"""Videos for `fer-edge run`, and what it publishes of them."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from fer_edge.types import GrayImage
from measure.daemon import REPOSITORY
from measure.wild.scene import HEIGHT, WIDTH

QUALITY = 95
"""JPEG quality of each frame."""

Message = dict[str, Any]
Published = Mapping[int, Sequence[Message]]
"""Faces, by the number of the frame."""


class Film:
    """Frames that go into a video file, 1920×1080, grey, each a JPEG."""

    def __init__(self, path: Path, fps: float) -> None:
        self._writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT), isColor=False
        )
        if not self._writer.isOpened():
            raise SystemExit(f"benchmarks/wild: {path} cannot be written")
        self._writer.set(cv2.VIDEOWRITER_PROP_QUALITY, QUALITY)
        self.length = 0
        """Frames so far; the number of the next."""

    def add(self, frame: GrayImage) -> None:
        """One more frame."""
        self._writer.write(frame)
        self.length += 1

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()


@contextlib.contextmanager
def filming(path: Path, fps: float) -> Iterator[Film]:
    """A video that is complete at the end."""
    film = Film(path, fps)
    try:
        yield film
    finally:
        film.close()


@dataclass(frozen=True)
class Program:
    """`fer-edge run` with its defaults and these settings, whatever is configured on this machine."""

    settings: Sequence[str] = ()
    live: bool = False
    """At the video's own pace, dropping frames where this machine is too slow; else every frame."""

    def publish(self, video: Path) -> Published:
        """What it says of a video."""
        pace = f"source.fast={str(not self.live).lower()}"
        command = [sys.executable, "-m", "fer_edge", "run", "--source", str(video)]
        command += ["--output", "jsonl"]
        for setting in (pace, *self.settings):
            command += ["--set", setting]
        mine = {key: value for key, value in os.environ.items() if not key.startswith("FER_EDGE_")}
        done = subprocess.run(
            command, cwd=REPOSITORY, env=mine, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"benchmarks/wild: fer-edge run failed:\n{done.stderr}")
        messages = [json.loads(line) for line in done.stdout.splitlines()]
        return {message["seq"]: message["faces"] for message in messages}
