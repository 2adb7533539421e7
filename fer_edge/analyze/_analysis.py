"""One recording through the stages, every frame."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final

from fer_edge.analyze._recordings import Recording
from fer_edge.analyze._series import Series, Summary
from fer_edge.analyze._tables import Tables, row
from fer_edge.analyze._video import AnnotatedVideo
from fer_edge.assembly import assemble_stages
from fer_edge.config import Config
from fer_edge.errors import SourceError
from fer_edge.geometry import scale
from fer_edge.pipeline import run_inline
from fer_edge.preprocess import crop_face
from fer_edge.types import Face, Frame, Picture, Result

log = logging.getLogger(__name__)

THUMBNAIL_PX: Final = 112

UNRELATED_PICTURES: Final = {"confirm_hits": 1, "confirm_window": 1, "smoothing_s": 0.0}
"""Settings of `tracking` for pictures that have nothing to do with each other: each stands alone."""


class RecordingAnalysis:
    """Takes one recording through the stages, into tables, a summary and a video."""

    def __init__(
        self,
        config: Config,
        recording: Recording,
        tables: Tables,
        *,
        video: Path | None,
        thumbnails: bool,
    ) -> None:
        """Set up the stages; `video` is where an annotated copy goes."""
        if recording.still:
            tracking = config.tracking.model_copy(update=UNRELATED_PICTURES)
            config = config.model_copy(update={"tracking": tracking})
        self._stages = assemble_stages(config, every_frame=True)
        self._recording, self._tables = recording, tables
        self._video_path, self._thumbnails = video, thumbnails
        self._video: AnnotatedVideo | None = None
        self._frame: Frame | None = None
        self._begin: datetime | None = None
        self._summary = Summary(recording.name, recording.still)
        self._advance: Callable[[], object] = lambda: None

    def run(self, advance: Callable[[], object], stopping: Callable[[], bool]) -> Summary:
        """Process every frame; `advance` is called after each, `stopping` asked before."""
        self._advance = advance
        with ExitStack() as stack:
            stack.callback(self._abort_video)
            try:
                run_inline(
                    self._recording.source,
                    self._stages.vision,
                    self._stages.affect,
                    [self],
                    statistics=self._stages.statistics,
                    watchers=[self.watch],
                    stopping=stopping,
                )
            except SourceError as error:
                # Other recordings may be complete, and the frames until here can be used.
                log.warning("%s", error)
                self._summary.note = str(error)
            if self._video is not None and not stopping():
                self._video.close()
                self._video = None
        self._summary.unreadable = self._stages.statistics.unreadable.count
        return self._summary

    def watch(self, frame: Frame) -> None:
        """Keep the frame for its result; faces of one picture are not looked for in the next."""
        self._frame = frame
        if self._recording.still:
            self._stages.vision.reset()

    # --- As a sink ---------------------------------------------------------------------------

    name = "analyze"
    connected = None

    def start(self) -> None:
        """Nothing to begin."""

    def put(self, result: Result) -> None:
        """One frame."""
        frame = self._frame
        if frame is None:
            raise AssertionError("a result without a frame")
        self._begin = self._begin or result.stamp.captured_at
        time_s = (result.stamp.captured_at - self._begin).total_seconds()
        summary = self._summary
        summary.frames += 1
        summary.with_faces += bool(result.faces)
        summary.end_s = time_s
        if summary.frames == 1:
            summary.width, summary.height = result.stamp.width, result.stamp.height
        for face in result.faces:
            self._record(face, frame, time_s)
        if self._video_path is not None:
            self._draw(frame.picture, result, time_s)
        self._advance()

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Nothing is left open."""

    # -----------------------------------------------------------------------------------------

    def _record(self, face: Face, frame: Frame, time_s: float) -> None:
        self._tables.add(row(self._recording.name, frame.file, frame.stamp.seq, time_s, face))
        series = self._summary.faces.setdefault(face.track.id, Series(face.track.id))
        series.add(time_s, face)
        if self._recording.still:
            self._summary.pictures[face.track.id] = frame.file
        if self._thumbnails and series.wants_thumbnail(time_s):
            series.add_thumbnail(time_s, thumbnail(frame.picture, face))

    def _draw(self, picture: Picture, result: Result, time_s: float) -> None:
        if self._video is None and self._video_path is not None:
            size = (result.stamp.width, result.stamp.height)
            self._video = AnnotatedVideo(self._video_path, size, self._recording.fps)
            self._summary.video = self._video_path.name
        if self._video is not None:
            self._video.add(picture.bgr(), result, time_s)

    def _abort_video(self) -> None:
        if self._video is not None:
            self._video.abort()


def thumbnail(picture: Picture, face: Face) -> bytes:
    """The face in colour as a small JPEG, without any metadata."""
    import cv2

    image = picture.bgr()
    box = scale(face.track.box, image.shape[1] / picture.width)
    channels = [crop_face(image[:, :, channel], box, margin=0.15) for channel in range(3)]
    small = cv2.resize(
        cv2.merge(channels), (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA
    )
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1])
