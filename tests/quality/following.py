"""How well following keeps what a search of every frame would find."""

from dataclasses import dataclass, field

import cv2

from fer_edge.config import TrackingConfig, ViolaJonesDetector
from fer_edge.geometry import iou
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.motion import MotionGate
from fer_edge.vision.search import Search, SearchSchedule
from fer_edge.vision.stage import VisionStage
from fer_edge.vision.tracker import Tracker

GENEROUS = ViolaJonesDetector(scale_factor=1.1, min_neighbors=4)
"""The reference: a finer search than the daemon's, of every frame."""

SAME_FACE = 0.4

RECALL = 0.97
IDS_KEPT = 0.95
FALSE_TRACKS_A_MINUTE = 1.0

CLIPS = {"single_face.mp4": 25, "face_noface.mov": 24, "noface_face.mov": 24, "no_face.mp4": 25}
"""Frames a second of each."""


@dataclass
class Quality:
    """Counts over any number of recordings."""

    expected: int = 0
    """Faces that the reference found, frame by frame."""
    found: int = 0
    """Of these, published by the daemon's own way."""
    kept: int = 0
    """Of those found, with the id that the face had before."""
    continued: int = 0
    """Those found that had an id before."""
    false_tracks: int = 0
    """Ids that never were where the reference found a face."""
    seconds: float = 0.0
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / self.expected

    @property
    def ids_kept(self) -> float:
        return self.kept / self.continued

    @property
    def false_tracks_a_minute(self) -> float:
        return self.false_tracks * 60 / self.seconds


def follower():
    """The vision stage as the daemon has it."""
    config = TrackingConfig()
    section = ViolaJonesDetector()
    detector = open_detector(section)
    gate = MotionGate(section.search_width)
    search = Search(detector, SearchSchedule(config), gate=gate, in_parts=True)
    return VisionStage(detector, Tracker(config), search, margin=0.0, crop_px=112)


def measure(frames, fps, quality, name=""):
    """Take one recording through both ways."""
    reference, vision = open_detector(GENEROUS), follower()
    ids, genuine, seen = {}, set(), set()
    for number, frame in enumerate(frames):
        truth = steady(reference.search(frame.picture), ids)
        tracks = vision(frame).tracks
        seen |= {track.id for track in tracks}
        for face, box in truth.items():
            best = max(tracks, key=lambda track: iou(track.box, box), default=None)
            quality.expected += 1
            if best is None or iou(best.box, box) < SAME_FACE:
                quality.missed.append(f"{name}:{number}")
                continue
            quality.found += 1
            genuine.add(best.id)
            before = ids[face][1]
            if before is not None:
                quality.continued += 1
                quality.kept += before == best.id
            ids[face] = (ids[face][0], best.id)
        quality.seconds += 1 / fps
    quality.false_tracks += len(seen - genuine)


def steady(detections, ids):
    """The reference's faces of this frame that it found in the one before as well, by name.

    A generous search finds a face in the wallpaper now and then; one that is there twice running is
    taken for real. `ids` holds each face's last box and the id that the daemon gave it.
    """
    found, boxes = {}, [detection.box for detection in detections]
    for face, (box, _) in list(ids.items()):
        best = max(boxes, key=lambda other: iou(other, box), default=None)
        if best is None or iou(best, box) < SAME_FACE:
            del ids[face]
            continue
        boxes.remove(best)
        found[face] = best
        ids[face] = (best, ids[face][1])
    for box in boxes:
        ids[max(ids, default=0) + len(ids) + 1] = (box, None)
    return found


def frames_of(source):
    with source.open() as stream:
        while (frame := stream.read()) is not None:
            yield frame


cv2.setNumThreads(2)
