"""Following must keep what a search of every frame finds; the benchmarks print the same figures."""

import pytest
from following import (
    CLIPS,
    FALSE_TRACKS_A_MINUTE,
    IDS_KEPT,
    RECALL,
    Quality,
    frames_of,
    measure,
)

from fer_edge.sources.demo import Demo
from fer_edge.sources.file import VideoFile


def assert_good(quality):
    assert quality.recall >= RECALL, quality.missed
    assert quality.ids_kept >= IDS_KEPT
    assert quality.false_tracks_a_minute <= FALSE_TRACKS_A_MINUTE


@pytest.mark.parametrize("faces", [1, 2, 4])
def test_faces_that_move_and_grow(faces):
    quality = Quality()
    measure(frames_of(Demo(fast=True, frames=240, faces=faces)), 30, quality)
    assert quality.expected > 230 * faces
    assert_good(quality)


def test_the_measure_can_fail():
    """A daemon that loses the face for a second is told apart from one that does not."""
    quality = Quality()
    frames = [
        frame for n, frame in enumerate(frames_of(Demo(fast=True, frames=90))) if not 30 < n < 60
    ]
    measure(frames, 30, quality)
    assert quality.recall < 1


@pytest.mark.data
@pytest.mark.timeout(300)
def test_clips_of_real_faces(data):
    quality = Quality()
    for clip, fps in CLIPS.items():
        measure(frames_of(VideoFile(data / "clips" / clip, fast=True)), fps, quality, clip)
    assert quality.expected > 200
    assert_good(quality)
