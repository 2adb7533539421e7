"""The threads and mailboxes, with stages that are as simple as the protocols allow."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_edge.backoff import Backoff
from fer_edge.camera import OFF
from fer_edge.errors import FrameError, SourceError, SourceLostError
from fer_edge.pipeline import Pipeline, run_inline
from fer_edge.sources._pictures import GrayPicture
from fer_edge.stats import Statistics
from fer_edge.types import FaceBatch, Frame, Gap, Result, Stamp

PICTURE = GrayPicture(np.zeros((4, 4), np.uint8))
DEADLINE_S = 10


class ScriptedSource:
    """Delivers what the script says: a frame for a number, an error for an error."""

    name = "scripted"

    def __init__(self, *script, live=False, interval_s=0.0):
        self.live = live
        self.opened = 0
        self.open_now = False
        self._script = iter(script)
        self._interval_s = interval_s

    @contextmanager
    def open(self):
        self.opened += 1
        self.open_now = True
        yield self
        self.open_now = False

    def read(self):
        time.sleep(self._interval_s)
        step = next(self._script, None)
        if isinstance(step, Exception):
            raise step
        if callable(step):
            return step()
        return None if step is None else frame(step)


class ListSink:
    name = "list"
    connected = None

    def __init__(self):
        self.results, self.idled, self.closed = [], 0, 0

    def start(self):
        pass

    def put(self, result):
        self.results.append(result)

    def idle(self):
        self.idled += 1

    def close(self):
        self.closed += 1

    def seqs(self):
        return [result.stamp.seq for result in self.results]


def frame(seq):
    stamp = Stamp(seq, time.monotonic_ns(), datetime.now(UTC), 4, 4)
    return Frame(stamp, PICTURE)


def see(item):
    """Vision that finds nobody."""
    if isinstance(item, Gap):
        return FaceBatch(Stamp(-1, item.captured_ns, item.captured_at, 4, 4), (), (), lost=True)
    return FaceBatch(item.stamp, (), ())


def read(batch):
    return Result(batch.stamp, lost=batch.lost)


@pytest.fixture
def make():
    made = []

    def build(source, *, vision=see, affect=read, sinks=(), off=False):
        statistics = Statistics()
        if off:
            statistics.camera.turn_off()
        backoff = Backoff(0.01, 0.05)
        pipeline = Pipeline(source, vision, affect, sinks, backoff=backoff, statistics=statistics)
        made.append(pipeline)
        pipeline.statistics = statistics
        pipeline.start()
        return pipeline

    yield build
    for pipeline in made:
        pipeline.stop(1)


def finish(pipeline):
    deadline = time.monotonic() + DEADLINE_S
    while not pipeline.wait(0.05):
        assert time.monotonic() < deadline, "the pipeline does not end"


def until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


def test_a_recording_ends_by_itself_and_everything_is_closed_once(make):
    sink = ListSink()
    pipeline = make(ScriptedSource(*range(5), interval_s=0.05), sinks=[sink])
    finish(pipeline)
    assert sink.seqs() == [0, 1, 2, 3, 4]
    assert sink.closed == 1
    assert pipeline.stop(1) == []


def test_a_slow_stage_gets_fresh_work_and_the_drops_are_counted(make):
    def slow(batch):
        time.sleep(0.05)
        return Result(batch.stamp)

    sink = ListSink()
    pipeline = make(ScriptedSource(*range(100), interval_s=0.002), affect=slow, sinks=[sink])
    finish(pipeline)
    seqs = sink.seqs()
    assert seqs == sorted(seqs)
    assert len(seqs) < 50
    assert seqs[-1] == 99, "the newest frame is never the one that is dropped"
    assert sum(pipeline.statistics.drops.counts().values()) == 100 - len(seqs)


def test_a_slow_sink_slows_nobody_else(make):
    class SlowSink(ListSink):
        name = "slow"

        def put(self, result):
            time.sleep(0.1)
            super().put(result)

    quick, slow = ListSink(), SlowSink()
    pipeline = make(ScriptedSource(*range(60), interval_s=0.01), sinks=[slow, quick])
    until(lambda: len(quick.results) >= 50)
    assert len(slow.results) < 25
    assert pipeline.statistics.drops.counts()["slow"] > 0


@pytest.mark.parametrize("stage", ["vision", "affect"])
def test_an_unexpected_error_in_a_stage_ends_the_service(make, stage):
    def breaks(_):
        raise ZeroDivisionError(stage)

    pipeline = make(ScriptedSource(*range(3), interval_s=0.01), **{stage: breaks})
    with pytest.raises(ZeroDivisionError, match=stage):
        finish(pipeline)


def test_an_error_in_a_sink_ends_the_service_and_closes_it(make):
    class Breaks(ListSink):
        def put(self, result):
            raise OSError("disk full")

    sink = Breaks()
    pipeline = make(ScriptedSource(*range(3), interval_s=0.01), sinks=[sink])
    with pytest.raises(OSError, match="disk full"):
        finish(pipeline)
    assert sink.closed == 1


def test_a_lost_camera_is_reopened_and_clears_the_faces(make, caplog):
    lost = SourceLostError("camera: unplugged")
    source = ScriptedSource(1, 2, lost, lost, lost, 3, live=True, interval_s=0.02)
    sink = ListSink()
    pipeline = make(source, sinks=[sink])
    finish(pipeline)
    assert sink.seqs() == [1, 2, -1, 3]
    assert [result.lost for result in sink.results] == [False, False, True, False]
    assert source.opened == 4
    assert pipeline.statistics.camera.condition.available
    assert pipeline.statistics.retries.count == 3
    assert len([r for r in caplog.records if "unplugged" in r.message]) == 1, "one line, not three"


def test_each_new_reason_of_a_loss_is_logged_once(make, caplog):
    reasons = ["camera: no picture for 5 s", "camera: answers 401"] * 3
    losses = [SourceLostError(reason) for reason in reasons]
    finish(make(ScriptedSource(1, *losses, 2, live=True)))
    assert [r.message.partition(";")[0] for r in caplog.records] == reasons[:2]


def test_turned_off_the_camera_is_closed_and_on_again_it_is_opened(make):
    sink = ListSink()
    source = ScriptedSource(*range(100_000), live=True, interval_s=0.005)
    pipeline = make(source, sinks=[sink])
    camera = pipeline.statistics.camera
    until(lambda: len(sink.results) >= 3)
    camera.turn_off()
    assert camera.condition.reason == OFF
    until(lambda: not source.open_now and sink.results[-1].lost)
    assert not any(result.lost for result in sink.results[:-1])
    count, progress = len(sink.results), pipeline.statistics.progress
    until(lambda: pipeline.statistics.progress > progress + 2)
    assert (len(sink.results), source.opened) == (count, 1)
    camera.turn_on()
    until(lambda: len(sink.results) > count + 2)
    assert source.opened == 2
    assert camera.condition.available
    assert not any(result.lost for result in sink.results[count:])


def test_off_from_the_start_opens_nothing(make):
    source = ScriptedSource(*range(100), live=True)
    pipeline = make(source, off=True)
    until(lambda: pipeline.statistics.progress > 2)
    assert source.opened == 0
    assert pipeline.stop(2) == []


def test_off_while_the_camera_is_lost_is_said_and_nothing_is_tried(make):
    losses = [SourceLostError("camera: absent")] * 1000
    pipeline = make(ScriptedSource(*losses, live=True))
    until(lambda: pipeline.statistics.retries.count > 2)
    pipeline.statistics.camera.turn_off()
    until(lambda: pipeline.statistics.waits.count > 0)
    tried = pipeline.statistics.retries.count
    until(lambda: pipeline.statistics.waits.count > 5)
    assert pipeline.statistics.retries.count == tried
    assert pipeline.statistics.camera.condition.reason == OFF


def test_retries_are_progress(make):
    losses = [SourceLostError("camera: absent")] * 1000
    pipeline = make(ScriptedSource(*losses, live=True))
    before = pipeline.statistics.progress
    until(lambda: pipeline.statistics.progress > before + 3)
    assert pipeline.statistics.camera.condition.reason == "camera: absent"


def test_a_recording_that_is_lost_is_no_camera(make):
    pipeline = make(ScriptedSource(1, SourceError("clip.mp4: not a video")))
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        finish(pipeline)


def test_an_unreadable_picture_is_skipped_and_counted(make):
    def vision(item):
        if item.stamp.seq == 1:
            raise FrameError("JPEG is corrupt")
        return see(item)

    sink = ListSink()
    pipeline = make(ScriptedSource(0, 1, 2, interval_s=0.05), vision=vision, sinks=[sink])
    finish(pipeline)
    assert sink.seqs() == [0, 2]
    assert pipeline.statistics.unreadable.count == 1


def test_a_source_that_hangs_makes_no_progress_and_is_named(make):
    released = threading.Event()
    source = ScriptedSource(1, lambda: released.wait(DEADLINE_S), live=True)
    pipeline = make(source)
    until(lambda: pipeline.statistics.progress == 1)
    time.sleep(0.3)
    assert pipeline.statistics.progress == 1
    assert pipeline.hanging(0.2) == ["capture"]
    assert pipeline.stop(0.2) == ["capture"]
    released.set()


def test_stopping_delivers_what_a_sink_already_has(make):
    sink = ListSink()
    pipeline = make(ScriptedSource(*range(1000), live=True, interval_s=0.01), sinks=[sink])
    until(lambda: len(sink.results) >= 3)
    assert pipeline.stop(2) == []
    assert sink.closed == 1


def test_a_sink_without_results_is_called_for_what_is_due(make):
    released = threading.Event()
    sink = ListSink()
    make(ScriptedSource(lambda: released.wait(DEADLINE_S), live=True), sinks=[sink])
    until(lambda: sink.idled >= 2)
    released.set()


def test_watchers_see_every_frame_that_was_captured():
    seen = []
    statistics = Statistics()
    pipeline = Pipeline(
        ScriptedSource(0, 1, 2),
        see,
        read,
        [],
        backoff=Backoff(0.01, 0.05),
        statistics=statistics,
        watchers=[lambda frame: seen.append(frame.stamp.seq)],
    )
    pipeline.start()
    finish(pipeline)
    assert seen == [0, 1, 2]


def test_inline_loses_nothing_and_keeps_the_order():
    sink = ListSink()
    run_inline(ScriptedSource(*range(50)), see, read, [sink])
    assert sink.seqs() == list(range(50))
    assert sink.closed == 0


def test_inline_shows_watchers_each_frame_before_it_is_processed():
    steps = []

    def vision(item):
        steps.append(("vision", item.stamp.seq))
        return see(item)

    watchers = [lambda frame: steps.append(("watcher", frame.stamp.seq))]
    run_inline(ScriptedSource(0, 1), vision, read, [], watchers=watchers)
    assert steps == [("watcher", 0), ("vision", 0), ("watcher", 1), ("vision", 1)]


def test_inline_stops_when_asked():
    sink = ListSink()
    run_inline(
        ScriptedSource(*range(50)), see, read, [sink], stopping=lambda: len(sink.results) == 7
    )
    assert sink.seqs() == list(range(7))


def test_inline_skips_unreadable_pictures():
    def vision(item):
        if item.stamp.seq % 2:
            raise FrameError("JPEG is corrupt")
        return see(item)

    sink, statistics = ListSink(), Statistics()
    run_inline(ScriptedSource(*range(6)), vision, read, [sink], statistics=statistics)
    assert sink.seqs() == [0, 2, 4]
    assert statistics.unreadable.count == 3
