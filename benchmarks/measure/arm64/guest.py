"""Runs inside the emulator: frames of the demo through the daemon's stages, in one thread.

`python3 -m measure.arm64.guest` is started by `emulate.py`; it tells the plugin which stage begins, and
prints what it did and where which library's code lies, as JSON.
"""

import argparse
import json
import os
import platform
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_edge.assembly import assemble_stages
from fer_edge.config import Config
from fer_edge.sinks.payload import encode, faces_message
from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.sources.demo import Demo
from fer_edge.types import Frame
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.search import Search
from measure.arm64.stages import MAGIC, Stage

FPS = 30
"""The daemon searches once a second: 30 frames hold one search."""
WARM_UP = 20
"""Frames before those that count: the face is found and confirmed, and the first search is over."""
JPEG_QUALITY = 85
PACKAGES = ("numpy", "opencv-python-headless", "ai-edge-litert")


class Marker:
    """Tells the plugin which stage begins, once `counting`."""

    def __init__(self) -> None:
        self.counting = False
        self._descriptor = os.open(os.devnull, os.O_RDONLY)
        self._stage = Stage.OUTSIDE

    def switch(self, stage: Stage) -> Stage:
        """Count for this stage from here on; the one until now."""
        before, self._stage = self._stage, stage
        if self.counting:
            os.posix_fadvise(self._descriptor, MAGIC + stage, 0, os.POSIX_FADV_NORMAL)
        return before

    def marked(self, stage: Stage, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its instructions counted for `stage`."""

        def call(*arguments: Any, **named: Any) -> Any:
            before = self.switch(stage)
            try:
                return function(*arguments, **named)
            finally:
                self.switch(before)

        return call


def demo_frames(count: int, picture: str) -> list[Frame]:
    """The first frames of the demo with one face, 1080p, as `luma` in memory or as a `jpeg` each."""
    made = []
    with Demo(size=(1920, 1080), fps=FPS, faces=1, frames=count, fast=True).open() as stream:
        while (frame := stream.read()) is not None:
            luma = np.ascontiguousarray(frame.picture.gray())
            made.append(Frame(frame.stamp, GrayPicture(luma) if picture == "luma" else _jpeg(luma)))
    return made


def _jpeg(luma: np.ndarray) -> JpegPicture:
    # As a camera sends it: three channels.
    colour = cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR)
    _, data = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return JpegPicture(data.tobytes())


def count_frames(config: Config, frames: Sequence[Frame]) -> int:
    """Put all frames through the stages, and count all but the first `WARM_UP`.

    Returns:
        How many faces were published in those that count.
    """
    marker = Marker()
    detector: Any = type(open_detector(config.detector))
    detector.follow = marker.marked(Stage.FOLLOW, detector.follow)
    Search.find = marker.marked(Stage.SEARCH, Search.find)  # type: ignore[method-assign]
    JpegPicture.gray = marker.marked(Stage.DECODE, JpegPicture.gray)  # type: ignore[method-assign]
    made = assemble_stages(config, every_frame=False)
    faces = 0
    for number, frame in enumerate(frames):
        marker.counting = number >= WARM_UP
        marker.switch(Stage.TRACK)
        batch = made.vision(frame)
        marker.switch(Stage.READ)
        result = made.affect(batch) if batch is not None else None
        marker.switch(Stage.MESSAGE)
        if result is not None:
            encode(faces_message(result, "pi", now_ns=frame.stamp.captured_ns))
            faces += marker.counting * len(result.faces)
        marker.switch(Stage.OUTSIDE)
    return faces


def libraries() -> list[tuple[int, int, str]]:
    """First and last address and file of all code in this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    found = re.findall(r"^(\w+)-(\w+) ..x. \S+ \S+ \S+ +(/.*)$", "\n".join(lines), re.MULTILINE)
    return [(int(first, 16), int(last, 16), file) for first, last, file in found]


def main() -> None:
    """Count, and print a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=FPS)
    parser.add_argument("--picture", choices=("luma", "jpeg"), default="luma")
    parser.add_argument("--config", type=json.loads, default={}, help="sections, as JSON")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = Config.model_validate(options.config)
    faces = count_frames(config, demo_frames(WARM_UP + options.frames, options.picture))
    versions = {name: version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    made = {"faces": faces, "libraries": libraries(), "versions": versions}
    print(json.dumps(made))


if __name__ == "__main__":
    main()
