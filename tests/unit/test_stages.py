"""Vision and affect with the real detector and a real face."""

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.config import TrackingConfig, ViolaJonesDetector
from fer_edge.detectors import open_detector
from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.stages import AffectStage, Eyes, Statistics, Vision
from fer_edge.tracking import SearchPlan, Smoother, Tracker, Turns
from fer_edge.types import Affect, Emotion, Frame, Gap

CONFIG = TrackingConfig(confirm_hits=2, confirm_window=3)


@pytest.fixture(scope="module")
def luma():
    portrait = cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)
    frame = np.full((1080, 1920), 110, np.uint8)
    frame[28:1052, 700:1724] = cv2.resize(portrait, (1024, 1024))
    return frame


@pytest.fixture
def make_vision():
    def make(crop_px):
        statistics = Statistics()
        detector = open_detector(ViolaJonesDetector())
        stage = Vision(
            Eyes(detector, Tracker(CONFIG), SearchPlan(CONFIG)),
            margin=0.0,
            crop_px=crop_px,
            statistics=statistics,
        )
        stage.statistics = statistics
        return stage

    return make


@pytest.fixture
def vision(make_vision):
    return make_vision(112)


def test_a_face_becomes_a_square_crop_of_itself(vision, luma, stamp_at):
    picture = GrayPicture(luma)
    assert vision(Frame(stamp_at(0), picture)).tracks == ()
    batch = vision(Frame(stamp_at(0.1), picture))
    (track,), (crop,) = batch.tracks, batch.crops
    assert crop.shape[0] == crop.shape[1] == pytest.approx(track.box.width, abs=1)
    x, y = round(track.box.x), round(track.box.y)
    side = crop.shape[0]
    shifts = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    cuts = [luma[y + dy : y + dy + side, x + dx : x + dx + side] for dx, dy in shifts]
    assert any(np.array_equal(crop, cut) for cut in cuts)
    assert not crop.flags.writeable
    assert vision.statistics.detect.summary_ms() is not None


def test_a_large_face_is_cut_from_a_reduced_picture(make_vision, luma, stamp_at):
    vision = make_vision(64)
    ok, data = cv2.imencode(".jpg", luma)
    assert ok
    for step in range(2):
        batch = vision(Frame(stamp_at(step / 10), JpegPicture(data.tobytes())))
    side = batch.tracks[0].box.width
    assert 64 <= batch.crops[0].shape[0] < 0.6 * side


def test_a_gap_forgets_the_faces_and_reports_none(vision, luma, stamp_at):
    for step in range(2):
        vision(Frame(stamp_at(step / 10, seq=step), GrayPicture(luma)))
    now = stamp_at(5)
    batch = vision(Gap(now.captured_ns, now.captured_at, "unplugged"))
    assert (batch.tracks, batch.crops) == ((), ())
    assert (batch.stamp.width, batch.stamp.captured_ns) == (1920, now.captured_ns)
    assert vision(Frame(stamp_at(5.1), GrayPicture(luma))).tracks == ()


def test_a_gap_before_any_frame_is_nothing(vision, stamp_at):
    now = stamp_at(0)
    assert vision(Gap(now.captured_ns, now.captured_at, "absent")) is None


def test_affect_reads_every_crop_and_only_crops(vision, luma, stamp_at):
    seen = []

    def classify(crops):
        seen.append(len(crops))
        probabilities = np.eye(8, dtype=np.float32)[1]
        return [Affect(probabilities, 0.5, 0.1) for _ in crops]

    statistics = Statistics()
    turns = Turns(max_faces=4, min_interval_s=0)
    stage = AffectStage(classify, turns, Smoother(CONFIG), statistics=statistics)
    results = [stage(vision(Frame(stamp_at(i / 10), GrayPicture(luma)))) for i in range(3)]
    assert [len(result.faces) for result in results] == [0, 1, 1]
    assert seen == [1, 1]
    assert results[2].faces[0].emotion is Emotion.HAPPY
    assert statistics.classify.summary_ms() is not None
