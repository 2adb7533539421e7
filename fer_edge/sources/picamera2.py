"""A camera on the board's CSI connector, through picamera2 and libcamera.

The image processor scales: besides the main stream it delivers a small one for the detector, both
YUV 4:2:0, whose first plane is the luma that the pipeline works on. A request holds one of the few
buffers that camera and memory share, so both streams are copied and the request is given back at
once.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError, SourceLostError
from fer_edge.quiet import quiet_environment
from fer_edge.sources._pi_controls import Preparation, Value, prepared, select_controls
from fer_edge.sources._pi_prepare import limited_tuning, switch_sensor_hdr
from fer_edge.sources._pictures import Yuv420Picture
from fer_edge.sources._timing import Moment, Numbering, at_monotonic, now
from fer_edge.types import Frame, Stream

log = logging.getLogger(__name__)

StreamConfig = Mapping[str, Any]


class Request(Protocol):
    """The part of picamera2's CompletedRequest that is used."""

    config: Mapping[str, StreamConfig]

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        """A copy of a stream's buffer, one-dimensional."""

    def get_metadata(self) -> Mapping[str, Any]:
        """Metadata of the frame."""

    def release(self) -> None:
        """Give the buffers back to the camera."""


class Camera(Protocol):
    """The part of picamera2's Picamera2 that is used; `fakes.FakePicamera2` is another."""

    @property
    def camera_controls(self) -> Mapping[str, tuple[Any, Any, Any]]:
        """Least, greatest and default value of each control, in the present configuration."""

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        """Set controls from the next frame on; before `start`, from the first."""

    def create_video_configuration(self, **options: Any) -> Mapping[str, Any]:
        """A configuration for video."""

    def configure(self, camera_config: Mapping[str, Any]) -> None:
        """Apply the configuration; sizes and strides in it may change."""

    def start(self) -> None:
        """Begin to deliver."""

    def capture_request(self, wait: bool) -> Any:
        """With `wait` false a job that ends with the next request."""

    def wait(self, job: Any, timeout: float) -> Request:
        """The job's request; TimeoutError after this many seconds."""

    def cancel_all_and_flush(self) -> None:
        """Forget the jobs that wait, or closing would wait for them too."""

    def close(self) -> None:
        """Stop and close."""


LOAD_ERRORS = (ImportError, ValueError, AttributeError)
"""How an installed picamera2 fails: a library is missing, or one of its parts was compiled against
another numpy (`numpy.dtype size changed` is a ValueError)."""


def open_camera(number: int, preparation: Preparation) -> Camera:
    """Camera `number`, as `rpicam-hello --list-cameras` counts.

    What of the preparation this camera cannot do is a warning.

    Raises:
        ConfigError: picamera2 is not installed, or does not load.
        SourceLostError: no such camera now, or another program has it.
    """
    try:
        picamera2 = _import_picamera2()
    except ModuleNotFoundError:
        raise ConfigError(
            "source picamera2: it is not installed; sudo apt install python3-picamera2, and make "
            "the virtual environment with --system-site-packages"
        ) from None
    except LOAD_ERRORS as error:
        raise ConfigError(
            f"source picamera2: it does not load ({error}); fer-edge doctor says what to do"
        ) from None
    found = picamera2.Picamera2.global_camera_info()
    if number >= len(found):
        raise SourceLostError(
            f"picamera2 camera {number}: {len(found)} found; check the ribbon cable and source.camera"
        )
    model = found[number].get("Model", "")
    if preparation.sensor_hdr is not None:
        switch_sensor_hdr(number, model, on=preparation.sensor_hdr)
    tuning = limited_tuning(picamera2.Picamera2, number, model, preparation)
    try:
        camera: Camera = picamera2.Picamera2(number, tuning=tuning)
    except (RuntimeError, IndexError):
        raise SourceLostError(
            f"picamera2 camera {number}: busy or not answering; end the program that uses it"
        ) from None
    return camera


def has_csi_camera() -> bool:
    """Whether picamera2 is installed and lists a camera that is not on USB."""
    try:
        picamera2 = _import_picamera2()
    except ModuleNotFoundError as error:
        log.debug("picamera2 cannot be imported: %s", error)
        return False
    except LOAD_ERRORS as error:
        log.warning("picamera2 does not load (%s): no CSI camera; see fer-edge doctor", error)
        return False
    return any("/usb" not in info["Id"] for info in picamera2.Picamera2.global_camera_info())


def _import_picamera2() -> Any:
    # libcamera reports every step on standard error otherwise.
    quiet_environment(names=("LIBCAMERA_LOG_LEVELS",))
    import picamera2

    return picamera2


def _full_range() -> Any:
    """Luma from 0 to 255, as in the JPEGs of other cameras; picamera2 itself takes 16 to 235."""
    try:
        import libcamera
    except ImportError:
        return None
    return libcamera.ColorSpace.Sycc()


@dataclass(frozen=True, slots=True)
class PiCamera:
    """A CSI camera as a source."""

    live = True

    number: int = 0
    size: tuple[int, int] = (1920, 1080)
    """Width and height of the main stream in pixels."""
    detect_width: int = 640
    """Width of the small stream in pixels; none is asked for unless it is below the main one's."""
    fps: float = 30.0
    stall_timeout_s: float = 5.0
    """Longest time without a frame, seconds; then the camera is given up."""
    controls: Mapping[str, Value] = field(default_factory=dict)
    """By the names of the configuration; set at every opening."""
    open_camera: Callable[[int, Preparation], Camera] = field(default=open_camera, repr=False)
    lend: Callable[[Camera], AbstractContextManager[object]] | None = field(
        default=None, repr=False
    )
    """Entered with the camera while it runs: a screen may show its main stream directly."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)
    _complaints: set[str] = field(default_factory=set, repr=False)
    """Logged already: a camera that is reopened often fills no journal."""

    @property
    def name(self) -> str:
        """For people."""
        return f"picamera2 camera {self.number}"

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open, configure and start the camera.

        Raises:
            ConfigError: picamera2 is not installed.
            SourceLostError: no such camera now, busy, or it refuses the configuration.
        """
        camera = self.open_camera(self.number, prepared(self.controls))
        try:
            try:
                camera.configure(camera.create_video_configuration(**self._options()))
                # The ranges are those of the configuration.
                self._set_controls(camera)
                camera.start()
            except RuntimeError as error:
                raise SourceLostError(
                    f"{self.name}: {error}; check source.width, height and fps"
                ) from None
            with nullcontext() if self.lend is None else self.lend(camera):
                yield _PiStream(self, camera, self._numbering)
        finally:
            camera.cancel_all_and_flush()
            camera.close()

    def _set_controls(self, camera: Camera) -> None:
        if not self.controls:
            return
        chosen, complaints = select_controls(self.controls, camera.camera_controls)
        camera.set_controls(chosen)
        for complaint in complaints:
            if complaint not in self._complaints:
                self._complaints.add(complaint)
                log.warning("%s: %s", self.name, complaint)

    def _options(self) -> dict[str, Any]:
        width, height = (side // 2 * 2 for side in self.size)
        interval_us = round(1e6 / self.fps)
        lores = None
        if self.detect_width < width:
            small = self.detect_width // 2 * 2
            lores = {"size": (small, round(small * height / width / 2) * 2), "format": "YUV420"}
        return {
            "main": {"size": (width, height), "format": "YUV420"},
            "lores": lores,
            "colour_space": _full_range(),
            "controls": {"FrameDurationLimits": (interval_us, interval_us)},
            "display": None if self.lend is None else "main",
            "encode": None,
        }


class _PiStream:
    def __init__(self, source: PiCamera, camera: Camera, numbering: Numbering) -> None:
        self._source = source
        self._camera = camera
        self._numbering = numbering
        numbering.reopened()

    def read(self) -> Frame:
        timeout_s = self._source.stall_timeout_s
        job = self._camera.capture_request(wait=False)
        try:
            request = self._camera.wait(job, timeout=timeout_s)
        except TimeoutError:
            raise SourceLostError(
                f"{self._source.name}: no picture for {timeout_s:g} s; check its ribbon cable"
            ) from None
        try:
            picture = _picture(request)
            moment = sensor_moment(request.get_metadata().get("SensorTimestamp"))
        finally:
            request.release()
        return self._numbering.frame(picture, moment)


def _picture(request: Request) -> Yuv420Picture:
    main, main_size = _stream(request, "main")
    if request.config.get("lores") is None:
        return Yuv420Picture(main, main_size)
    return Yuv420Picture(main, main_size, *_stream(request, "lores"))


def _stream(request: Request, name: str) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A stream's buffer as rows of its stride, and its size without padding."""
    config = request.config[name]
    width, height = config["size"]
    stride = config["stride"]
    buffer = request.make_buffer(name)
    # The buffer may end with padding of its own.
    return buffer[: stride * (height * 3 // 2)].reshape(-1, stride), (width, height)


def sensor_moment(sensor_ns: int | None) -> Moment:
    """When the sensor began the frame; its clock is CLOCK_BOOTTIME, which counts suspended time."""
    if sensor_ns is None:
        return now()
    suspended_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return at_monotonic(sensor_ns - suspended_ns)
