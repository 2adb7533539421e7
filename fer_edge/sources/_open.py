"""From a section of the configuration to a source."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, assert_never

from fer_edge.config import (
    AutoSource,
    DemoSource,
    FileSource,
    ImagesSource,
    PiCamera2Source,
    SourceConfig,
    StreamSource,
    V4l2Source,
    read_password,
)
from fer_edge.sources._timing import Numbering
from fer_edge.types import Source

CREDENTIAL = "source-password"


Lend = Callable[[Any], AbstractContextManager[object]]


def open_source(config: SourceConfig, *, lend: Lend | None = None) -> Source:
    """The source that `config` describes; nothing is opened yet.

    Args:
        config: Which one.
        lend: Entered with picamera2's object while a CSI camera runs, for a screen that shows it.
    """
    source = _open_as_it_is(config, lend)
    if isinstance(config, DemoSource | ImagesSource):
        return source
    if not (config.rotate or config.mirror or config.region):
        return source
    from fer_edge.sources.mounted import MountedSource, Mounting

    return MountedSource(source, Mounting(config.rotate, config.mirror, config.region))


def _open_as_it_is(config: SourceConfig, lend: Lend | None) -> Source:  # noqa: PLR0911 - one each
    match config:
        case AutoSource():
            return _automatic(lend)
        case PiCamera2Source():
            return _picamera2(config, lend)
        case V4l2Source():
            return _v4l2(config)
        case StreamSource():
            return _stream(config)
        case FileSource():
            from fer_edge.sources.file import VideoFile

            return VideoFile(config.path, fast=config.fast, loop=config.loop)
        case ImagesSource():
            from fer_edge.sources.images import ImageFiles

            return ImageFiles(config.path, fps=config.fps, fast=config.fast)
        case DemoSource():
            return _demo(config)
        case _:
            assert_never(config)


def _automatic(lend: Lend | None) -> Source:
    from fer_edge.sources.automatic import AutomaticCamera

    numbering = Numbering()

    def find() -> Source | None:
        from fer_edge.sources._devices import first_camera
        from fer_edge.sources.picamera2 import has_csi_camera

        if has_csi_camera():
            return _picamera2(PiCamera2Source(type="picamera2"), lend, numbering)
        if (device := first_camera()) is not None:
            return _v4l2(V4l2Source(type="v4l2", device=device), numbering)
        return None

    return AutomaticCamera(find)


def _picamera2(
    config: PiCamera2Source, lend: Lend | None, numbering: Numbering | None = None
) -> Source:
    from fer_edge.sources.picamera2 import PiCamera

    return PiCamera(
        config.camera,
        size=(config.width, config.height),
        detect_width=config.detect_width,
        fps=config.fps,
        stall_timeout_s=config.stall_timeout_s,
        controls=config.controls(),
        lend=lend,
        _numbering=numbering or Numbering(),
    )


def _v4l2(config: V4l2Source, numbering: Numbering | None = None) -> Source:
    from fer_edge.sources.v4l2 import V4l2Camera

    return V4l2Camera(
        config.device,
        size=(config.width, config.height),
        fps=config.fps,
        stall_timeout_s=config.stall_timeout_s,
        controls=config.controls(),
        _numbering=numbering or Numbering(),
    )


def _demo(config: DemoSource) -> Source:
    from fer_edge.sources.demo import Demo

    return Demo(
        size=(config.width, config.height),
        fps=config.fps,
        faces=config.faces,
        frames=config.frames,
        fast=config.fast,
    )


def _stream(config: StreamSource) -> Source:
    from fer_edge.sources.stream import NetworkStream

    return NetworkStream(
        config.url,
        username=config.username,
        read_password=lambda: read_password(
            "source.password_file", config.password_file, CREDENTIAL
        ),
        open_timeout_s=config.open_timeout_s,
        stall_timeout_s=config.stall_timeout_s,
    )
