"""Cameras for tests and for machines without one; they behave as the real interfaces do.

`PICAMERA2_SIGNATURES` were read from picamera2 0.3.38; a test compares them with the package where
it is installed, and the fakes with them everywhere.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import BgrImage

PICAMERA2_SIGNATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "picamera2.py:Picamera2.__init__": (
        "self",
        "camera_num",
        "verbose_console",
        "tuning",
        "allocator",
    ),
    "picamera2.py:Picamera2.global_camera_info": (),
    "picamera2.py:Picamera2.create_video_configuration": (
        "self",
        "main",
        "lores",
        "raw",
        "transform",
        "colour_space",
        "buffer_count",
        "controls",
        "display",
        "encode",
        "queue",
        "sensor",
        "use_case",
    ),
    "picamera2.py:Picamera2.load_tuning_file": ("tuning_file", "dir"),
    "picamera2.py:Picamera2.find_tuning_algo": ("tuning", "name"),
    "picamera2.py:Picamera2.camera_controls": ("self",),
    "picamera2.py:Picamera2.set_controls": ("self", "controls"),
    "devices/imx708/imx708.py:IMX708.__init__": ("self", "camera_num"),
    "devices/imx708/imx708.py:IMX708.set_sensor_hdr_mode": ("self", "enable"),
    "picamera2.py:Picamera2.configure": ("self", "camera_config"),
    "picamera2.py:Picamera2.start": ("self", "config", "show_preview"),
    "picamera2.py:Picamera2.capture_request": ("self", "wait", "signal_function", "flush"),
    "picamera2.py:Picamera2.wait": ("self", "job", "timeout"),
    "picamera2.py:Picamera2.cancel_all_and_flush": ("self",),
    "picamera2.py:Picamera2.close": ("self",),
    "request.py:CompletedRequest.make_buffer": ("self", "name"),
    "request.py:CompletedRequest.get_metadata": ("self",),
    "request.py:CompletedRequest.release": ("self",),
}
"""File and method of picamera2, and the names of its parameters."""

FIXED_FOCUS: Final[Mapping[str, tuple[Any, Any, Any]]] = {
    "AeEnable": (False, True, True),
    "AeExposureMode": (0, 3, 0),
    "AeFlickerMode": (0, 1, 0),
    "AeFlickerPeriod": (100, 1_000_000, None),
    "AnalogueGain": (1.0, 10.666666984558105, 1.0),
    "AwbMode": (0, 7, 0),
    "ExposureTime": (75, 11_766_829, 20_000),
    "ExposureValue": (-8.0, 8.0, 0.0),
    "FrameDurationLimits": (47_183, 11_767_556, 47_183),
}
"""Controls of a Camera Module 2 (imx219): least, greatest and default value."""

AUTOFOCUS: Final[Mapping[str, tuple[Any, Any, Any]]] = {
    **FIXED_FOCUS,
    "AfMode": (0, 2, 0),
    "AfRange": (0, 2, 0),
    "AfTrigger": (0, 1, 0),
    "LensPosition": (0.0, 32.0, 1.0),
    "HdrMode": (0, 4, 0),
}
"""Controls of a Camera Module 3 (imx708) on a Raspberry Pi 5."""


class FakeCapture:
    """`cv2.VideoCapture` over given frames; None among them is a read that fails.

    `granted` is what the camera is able to do: a property that is in it keeps its value whatever is
    set, others take every value.
    """

    def __init__(
        self,
        frames: Iterable[NDArray[np.uint8] | None] = (),
        *,
        opened: bool = True,
        granted: Mapping[int, float] | None = None,
    ) -> None:
        self._frames = iter(frames)
        self._granted = dict(granted or {})
        self._opened = opened
        self.settings: list[tuple[int, float]] = []
        """Every call of `set`, in order."""
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is something to read from."""
        return self._opened and not self.released

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """What is granted, else what was set last, else 0."""
        last_set = dict(self.settings)
        return self._granted.get(propId, last_set.get(propId, 0.0))

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803 - OpenCV's name
        """Whether the property takes the value."""
        self.settings.append((propId, float(value)))
        return self._granted.get(propId, value) == value

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """The next of the given frames; False and None when they are used up."""
        image = next(self._frames, None) if self.isOpened() else None
        return image is not None, image

    def release(self) -> None:
        """Close it."""
        self.released = True


class FakeRequest:
    """picamera2's CompletedRequest over frames that are already planes in memory."""

    def __init__(
        self,
        config: Mapping[str, Any],
        buffers: Mapping[str, NDArray[np.uint8]],
        metadata: Mapping[str, Any],
    ) -> None:
        self.config = config
        self._buffers = buffers
        self._metadata = metadata
        self.released = 0
        """How often it was given back; once is right."""

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        """A copy of a stream's buffer, one-dimensional."""
        if self.released:
            raise RuntimeError("buffer read after the request was given back")
        if name not in self._buffers:
            raise RuntimeError(f"Stream {name!r} is not defined")
        return self._buffers[name].copy()

    def get_metadata(self) -> dict[str, Any]:
        """Metadata of the frame."""
        return dict(self._metadata)

    def release(self) -> None:
        """Give the buffers back to the camera."""
        self.released += 1


class FakePicamera2:
    """picamera2's Picamera2 over colour pictures, which it scales and pads as libcamera does.

    When the pictures are used up it stalls: a job ends with TimeoutError, as with a loose cable,
    and closing with that job still waiting hangs in the real one and raises here.
    """

    STRIDE_ALIGNMENT = 64
    """Bytes to which rows are padded; the image processor of a Raspberry Pi 4 does."""

    def __init__(
        self,
        frames: Sequence[BgrImage] = (),
        *,
        sensor_ns: int | None = None,
        broken: str = "",
        controls: Mapping[str, tuple[Any, Any, Any]] = FIXED_FOCUS,
    ) -> None:
        self._frames: Iterator[BgrImage] = iter(frames)
        self._sensor_ns = sensor_ns
        self._broken = broken
        self._waiting: list[str] = []
        self._controls = dict(controls)
        self.set: dict[str, Any] = {}
        """The controls that were set."""
        self.config: dict[str, Any] = {}
        self.requests: list[FakeRequest] = []
        self.started = False
        self.closed = False

    def create_video_configuration(self, **options: Any) -> dict[str, Any]:
        """The options as a configuration; those that picamera2 does not know raise TypeError."""
        known = PICAMERA2_SIGNATURES["picamera2.py:Picamera2.create_video_configuration"]
        unknown = set(options) - set(known)
        if unknown:
            raise TypeError(f"unexpected keyword arguments {sorted(unknown)}")
        return dict(options)

    def configure(self, camera_config: Mapping[str, Any]) -> None:
        """Take the configuration and fill in the strides."""
        if self._broken:
            raise RuntimeError(self._broken)
        self.config = dict(camera_config)
        for name in ("main", "lores"):
            stream = self.config.get(name)
            if stream is None:
                continue
            width, height = stream["size"]
            if width % 2 or height % 2:
                raise RuntimeError("width and height should be even")
            stride = -(-width // self.STRIDE_ALIGNMENT) * self.STRIDE_ALIGNMENT
            self.config[name] = {**stream, "stride": stride, "framesize": stride * height * 3 // 2}

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        """Least, greatest and default value of each control."""
        return dict(self._controls)

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        """Set them; one that the camera does not have is an error, as in the real one."""
        for name, value in controls.items():
            if name not in self._controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            self.set[name] = value

    def start(self) -> None:
        """Begin to deliver."""
        self.started = True

    def capture_request(self, wait: bool) -> str:
        """A job that ends with the next request."""
        if wait or not self.started:
            raise RuntimeError("the fake is asked for jobs only, after start")
        self._waiting.append("job")
        return self._waiting[-1]

    def wait(self, job: str, timeout: float) -> FakeRequest:
        """The next request; TimeoutError at once when the pictures are used up."""
        picture = next(self._frames, None)
        if picture is None:
            raise TimeoutError(f"{timeout} s")
        self._waiting.remove(job)
        buffers = {n: self._buffer(n, picture) for n in ("main", "lores") if self.config.get(n)}
        boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        metadata = {"SensorTimestamp": self._sensor_ns or boottime_ns}
        self.requests.append(FakeRequest(self.config, buffers, metadata))
        return self.requests[-1]

    def cancel_all_and_flush(self) -> None:
        """Forget the jobs that wait."""
        self._waiting.clear()

    def close(self) -> None:
        """Stop and close."""
        if self._waiting:
            raise RuntimeError("closing waits for a job that never ends")
        self.started = False
        self.closed = True

    def _buffer(self, name: str, picture: BgrImage) -> NDArray[np.uint8]:
        """The picture as YUV 4:2:0 planes in full range with padded rows, flat."""
        import cv2

        width, height = self.config[name]["size"]
        stride = self.config[name]["stride"]
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        luma, red, blue = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb))
        padded = np.full((height * 3 // 2, stride), 255, np.uint8)
        padded[:height, :width] = luma
        # Chroma rows are half as long, so two of them, each padded, share a row of luma's stride.
        chroma = padded[height:].reshape(height, stride // 2)
        half = (width // 2, height // 2)
        for top, plane in ((0, blue), (height // 2, red)):
            shrunk = cv2.resize(plane, half, interpolation=cv2.INTER_AREA)
            chroma[top : top + height // 2, : width // 2] = shrunk
        return padded.ravel()
