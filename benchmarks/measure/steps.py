"""Every step alone, and compared with how it was done before."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from fer_edge.affect import open_classifier
from fer_edge.config import ModelConfig, TrackingConfig, ViolaJonesDetector
from fer_edge.preprocess import crop_face, to_tensor
from fer_edge.sinks.payload import encode, faces_message
from fer_edge.sources._pictures import JpegPicture
from fer_edge.types import Box, Detection, Detector, Picture
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.motion import MotionGate
from fer_edge.vision.tracker import Tracker
from measure.camera import QUALITY
from measure.frames import Clip, stages
from measure.report import Spread

Call = Callable[[int], object]
"""Does the step with the frame of this number."""


@dataclass(frozen=True)
class Step:
    """One step as it is now and as it was; `before` is None for a new step."""

    name: str
    before_name: str
    before: Call | None
    now: Call


@dataclass(frozen=True)
class Timed:
    """Processor time, in milliseconds, of one call; of all threads."""

    step: Step
    before: Spread | None
    now: Spread


def measure(steps: list[Step], frames: int, rounds: int) -> Iterator[Timed]:
    """Both ways in alternation, over the same frames."""
    for step in steps:
        before, now = [], []
        for number in range(rounds * frames):
            for call, times in ((step.before, before), (step.now, now)):
                if call is not None:
                    begun = time.process_time_ns()
                    call(number % frames)
                    times.append((time.process_time_ns() - begun) / 1e6)
        yield Timed(step, _spread(before) if before else None, _spread(now))


def _spread(times: list[float]) -> Spread:
    """Median with the 10th and 90th percentile: the extremes are the machine's, not the step's."""
    low, median, high = np.percentile(times[len(times) // 10 :], [10, 50, 90])
    return Spread(float(median), float(low), float(high))


def steps(frames: Clip, alpha: float) -> list[Step]:
    """Everything between a camera's JPEG and a message, on frames with one face."""
    return [*_decoding(frames), *_finding(frames), *_reading(frames, alpha)]


def _decoding(frames: Clip) -> list[Step]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    data = [cv2.imencode(".jpg", frame, quality)[1].tobytes() for frame in frames.colour]
    raw = [np.frombuffer(one, np.uint8) for one in data]

    def colour(number: int) -> object:
        return cv2.imdecode(raw[number], cv2.IMREAD_COLOR)

    return [
        Step(
            "decode JPEG to luma, full size",
            "to colour",
            colour,
            lambda number: JpegPicture(data[number]).gray(),
        ),
        Step(
            "decode JPEG to luma, a quarter (480 px) for following",
            "to colour, full size",
            colour,
            lambda number: JpegPicture(data[number]).gray(480),
        ),
        Step(
            "luma of a frame in memory: a view",
            "BGR to grey",
            lambda number: cv2.cvtColor(frames.colour[number], cv2.COLOR_BGR2GRAY),
            lambda number: frames.gray[number].picture.gray(),
        ),
    ]


class Parts:
    """One part of a search a call, and then the next search."""

    def __init__(self, detector: Detector, pictures: list[Picture], boxes: list[list[Box]]) -> None:
        self._detector = detector
        self._pictures = pictures
        self._boxes = boxes
        self._parts: Iterator[Sequence[Detection]] = iter(())

    def __call__(self, number: int) -> Sequence[Detection]:
        """The next part; of the picture of this number, if it is the first."""
        found = next(self._parts, None)
        if found is None:
            picture, known = self._pictures[number], self._boxes[number]
            self._parts = self._detector.search_in_parts(picture, known)
            found = next(self._parts)
        return found


def _finding(frames: Clip) -> list[Step]:
    detector = open_detector(ViolaJonesDetector())
    finer = open_detector(ViolaJonesDetector(search_width=1920, scale_factor=1.1))
    pictures = [frame.picture for frame in frames.gray[:: len(frames.gray) // len(frames.colour)]]
    found = [detector.search(picture) for picture in pictures]
    boxes = [[one.box for one in detections] for detections in found]
    one_part = Parts(detector, pictures, boxes)
    gate = MotionGate(ViolaJonesDetector().search_width)
    gate.remember(pictures[0])
    tracker = Tracker(TrackingConfig())
    return [
        Step(
            "search at 640 px",
            "at 1920 px, scale 1.1",
            lambda number: finer.search(pictures[number]),
            lambda number: detector.search(pictures[number]),
        ),
        Step(
            "search at 640 px where a face is known",
            "where none is",
            lambda number: detector.search(pictures[number]),
            lambda number: detector.search(pictures[number], boxes[number]),
        ),
        Step(
            "a part of it: one frame's share",
            "all of it in one frame",
            lambda number: detector.search(pictures[number], boxes[number]),
            one_part,
        ),
        Step(
            "follow one face",
            "search at 640 px",
            lambda number: detector.search(pictures[number]),
            lambda number: detector.follow(
                pictures[number], [Detection(box, 1.0) for box in boxes[number]]
            ),
        ),
        Step(
            "has the picture changed",
            "search at 640 px",
            lambda number: detector.search(pictures[number]),
            lambda number: gate.changed(pictures[number], boxes[number]),
        ),
        Step(
            "track",
            "",
            None,
            lambda number: tracker.update(found[number], frames.gray[number].stamp),
        ),
    ]


def _reading(frames: Clip, alpha: float) -> list[Step]:
    int8 = open_classifier(ModelConfig(alpha=alpha, precision="int8"))
    float32 = open_classifier(ModelConfig(alpha=alpha, precision="float32"))
    spec = int8.card.input
    made = stages(alpha)
    batches = [made.vision(frame) for frame in frames.gray]
    seen = [batch for batch in batches if batch is not None and batch.crops]
    results = [made.affect(batch) for batch in seen]
    colour = frames.colour[0]
    box = seen[0].tracks[0].box

    def prepare(_: int) -> object:
        left, top, side = round(box.x), round(box.y), round(box.width)
        face = cv2.resize(colour[top : top + side, left : left + side], (224, 224))
        picture = cv2.cvtColor(face, cv2.COLOR_BGR2RGB).astype(np.float32)
        return picture / np.float32(127.5) - np.float32(1)

    return [
        Step(
            f"crop and tensor, {spec.width}×{spec.height}×{spec.channels}",
            "224×224×3",
            prepare,
            lambda number: to_tensor(
                [crop_face(frames.gray[number].picture.gray(), box, margin=spec.margin)], spec
            ),
        ),
        Step(
            f"network α {alpha:g} int8, with its tensor",
            "float32",
            lambda number: float32(seen[number].crops),
            lambda number: int8(seen[number].crops),
        ),
        Step(
            "message to bytes",
            "json.dumps as it comes",
            lambda number: json.dumps(faces_message(results[number], "b", now_ns=0)).encode(),
            lambda number: encode(faces_message(results[number], "b", now_ns=0)),
        ),
    ]
