"""Vision and affect with the real detector and a real face."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.affect.smoother import Smoother
from fer_edge.affect.stage import AffectStage
from fer_edge.affect.turns import Turns
from fer_edge.config import TrackingConfig, ViolaJonesDetector, ZoneConfig
from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.sources._timing import Numbering, now
from fer_edge.stats import Statistics
from fer_edge.types import Affect, Box, Detection, Emotion, Frame, Gap
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.search import Search, SearchSchedule
from fer_edge.vision.stage import VisionStage
from fer_edge.vision.stillness import Stillness
from fer_edge.vision.tracker import Tracker
from fer_edge.vision.zones import Zones

CONFIG = TrackingConfig(confirm_hits=2, confirm_window=3)


@pytest.fixture(scope="module")
def luma():
    portrait = cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)
    frame = np.full((1080, 1920), 110, np.uint8)
    frame[28:1052, 700:1724] = cv2.resize(portrait, (1024, 1024))
    return frame


@pytest.fixture
def make_vision():
    def make(crop_px, statistics=None, zones=(), still_after_s=0.0):
        detector = open_detector(ViolaJonesDetector())
        return VisionStage(
            detector,
            Tracker(CONFIG),
            Search(detector, SearchSchedule(CONFIG)),
            zones=Zones(zones),
            stillness=Stillness(still_after_s),
            margin=0.0,
            crop_px=crop_px,
            statistics=statistics,
        )

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


def test_the_time_of_a_frame_is_measured(make_vision, luma, stamp_at):
    statistics = Statistics()
    make_vision(112, statistics)(Frame(stamp_at(0), GrayPicture(luma)))
    assert statistics.detect.summary_ms() is not None


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


def test_the_message_after_a_gap_has_a_number_of_its_own(vision, luma, stamp_at):
    numbering = Numbering()
    picture = GrayPicture(luma)
    seqs = []
    for lost_s in (1, 2):
        numbering.reopened()
        for _ in range(2):
            frame = numbering.frame(picture, now())
            seqs.append(vision(frame).stamp.seq)
        gap = stamp_at(lost_s)
        seqs.append(vision(Gap(gap.captured_ns, gap.captured_at, "unplugged")).stamp.seq)
    assert seqs == [0, 1, 2, 3, 4, 5]


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


def test_every_other_reading_of_a_face_is_mirrored(vision, luma, stamp_at):
    seen = []

    def classify(crops):
        seen.extend(crops)
        return [Affect(np.full(8, 0.125, np.float32), 0.0, 0.0) for _ in crops]

    stage = AffectStage(classify, Turns(max_faces=4, min_interval_s=0), Smoother(CONFIG))
    batches = [vision(Frame(stamp_at(i / 10), GrayPicture(luma))) for i in range(4)]
    for batch in batches:
        stage(batch)
    given = [batch.crops[0] for batch in batches[1:]]
    assert np.array_equal(seen[0], given[0])
    assert np.array_equal(seen[1], given[1][:, ::-1])
    assert np.array_equal(seen[2], given[2])


def test_another_size_of_picture_starts_anew(vision, luma, stamp_at):
    """Boxes of 1920×1080 mean nothing in 960×540: nobody is published where he is not."""
    for step in range(2):
        batch = vision(Frame(stamp_at(step / 10), GrayPicture(luma)))
    (before,) = batch.tracks
    half = GrayPicture(cv2.resize(luma, (960, 540), interpolation=cv2.INTER_AREA))
    stamps = [replace(stamp_at(0.2 + step / 10), width=960, height=540) for step in range(2)]
    assert vision(Frame(stamps[0], half)).tracks == ()
    (after,) = vision(Frame(stamps[1], half)).tracks
    assert after.id != before.id
    assert after.box.x == pytest.approx(before.box.x / 2, abs=15)


class Fixed:
    """A detector that finds what it is told, and notes how it was asked."""

    turns = 1

    def __init__(self):
        self.followed, self.found, self.asked = [], [], []

    def follow(self, picture, expected):
        self.asked.append("follow")
        return self.followed if expected else []

    def search(self, picture, known=(), turn=0):
        self.asked.append("search")
        return self.found

    def search_in_parts(self, picture, known=(), turn=0):
        for _ in range(2):
            self.asked.append("part")
            yield []
        self.asked.append("last part")
        yield self.found


class Open:
    """A gate that lets every search through, and notes what was known."""

    def __init__(self):
        self.known = []

    def changed(self, picture, known):
        self.known.append(list(known))
        return True

    def remember(self, picture):
        pass


HERE, THERE = (Detection(Box(x, 300, 200, 200), 9.0) for x in (300, 1200))


@pytest.fixture
def fixed():
    """Detector, gate, and a stage that searches in parts."""
    detector, gate = Fixed(), Open()
    search = Search(detector, SearchSchedule(CONFIG), gate=gate, in_parts=True)
    stage = VisionStage(detector, Tracker(CONFIG), search, margin=0.0, crop_px=112)
    return detector, gate, stage


def asked(detector, vision, luma, stamps):
    """How the detector was asked in each frame, besides following."""
    said = []
    for stamp in stamps:
        detector.asked.clear()
        vision(Frame(stamp, GrayPicture(luma)))
        said.append([word for word in detector.asked if word != "follow"])
    return said


def test_a_search_beside_followed_faces_is_spread_over_frames(fixed, luma, stamp_at):
    detector, _, vision = fixed
    detector.found = detector.followed = [HERE]
    stamps = [stamp_at(number / 30) for number in range(37)]
    said = asked(detector, vision, luma, stamps[:30])
    assert said == [["search"]] + [[]] * 29
    detector.found = [THERE]
    said = asked(detector, vision, luma, stamps[30:33])
    assert said == [["part"], ["part"], ["last part"]]
    detector.followed = [HERE, THERE]
    assert asked(detector, vision, luma, stamps[33:36]) == [[], [], []]
    assert len(vision(Frame(stamps[36], GrayPicture(luma))).tracks) == 2


def test_a_search_is_done_at_once_where_it_delays_nobody(fixed, luma, stamp_at):
    detector, _, vision = fixed
    detector.found = detector.followed = [HERE]
    asked(detector, vision, luma, [stamp_at(number / 30) for number in range(30)])
    assert asked(detector, vision, luma, [stamp_at(1)]) == [["part"]]
    detector.found = detector.followed = []
    assert asked(detector, vision, luma, [stamp_at(1.3)]) == [["search"]], "nobody is left"


def test_a_search_is_not_spread_over_frames_that_are_far_apart(fixed, luma, stamp_at):
    detector, _, vision = fixed
    detector.found = detector.followed = [HERE]
    said = asked(detector, vision, luma, [stamp_at(number / 5) for number in range(6)])
    assert said == [["search"], [], [], [], [], ["search"]]


def test_only_faces_that_were_found_hide_a_change(fixed, luma, stamp_at):
    """Whoever jumps aside is searched for even if he is still where his old place hides him."""
    detector, gate, vision = fixed
    detector.found = detector.followed = [HERE]
    asked(detector, vision, luma, [stamp_at(number / 30) for number in range(30)])
    detector.followed = []
    asked(detector, vision, luma, [stamp_at(1 + number / 30) for number in range(2)])
    assert gate.known[-1] == []


def test_a_face_carries_the_zone_that_holds_its_centre(make_vision, luma, stamp_at):
    vision = make_vision(112, zones=[zone_about_the_face("count")])
    vision(Frame(stamp_at(0), GrayPicture(luma)))
    (track,) = vision(Frame(stamp_at(0.1), GrayPicture(luma))).tracks
    assert track.zone == "here"


def test_a_face_in_an_ignored_zone_is_not_followed_nor_cut_out(make_vision, luma, stamp_at):
    vision = make_vision(112, zones=[zone_about_the_face("ignore")])
    for step in range(6):
        batch = vision(Frame(stamp_at(step / 10), GrayPicture(luma)))
        assert batch.tracks == batch.crops == ()


def zone_about_the_face(use):
    points = ((0.4, 0.05), (0.7, 0.05), (0.7, 0.5), (0.4, 0.5))
    return ZoneConfig(name="here", points=points, use=use)


def test_a_portrait_is_told_still_and_neither_followed_nor_cut_out_again(
    make_vision, luma, stamp_at, monkeypatch
):
    vision = make_vision(112, still_after_s=2.0)
    rng = np.random.default_rng(1)
    batches = []
    for step in range(40):
        noisy = np.rint(luma + rng.normal(0, 2, luma.shape)).clip(0, 255).astype(np.uint8)
        if step == 35:
            monkeypatch.setattr(vision._detector, "follow", None)
        batches.append(vision(Frame(stamp_at(step / 10), GrayPicture(noisy))))
    assert not batches[10].tracks[0].still
    (before,), (after,) = batches[34].tracks, batches[39].tracks
    assert before.still
    assert after.still
    assert after.id == before.id
    assert after.box.x == pytest.approx(before.box.x, abs=0.1)
    assert batches[39].crops[0] is batches[34].crops[0]
