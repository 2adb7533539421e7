"""Pictures that are decoded only as far as a stage asks, so that a dropped frame costs nothing.

Two threads may ask one picture at once: at worst both do the same work, and get the same result.
"""

from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import FrameError
from fer_edge.sources._jpeg import jpeg_size
from fer_edge.types import BgrImage, GrayImage

REDUCTIONS = (8, 4, 2, 1)
"""Divisors of a picture's sides that libjpeg can apply while it decodes, the cheapest first."""


def frozen(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same array, read-only."""
    image.flags.writeable = False
    return image


class GrayPicture:
    """Luma that is already in memory, [height, width]."""

    def __init__(self, luma: GrayImage) -> None:
        self._luma = frozen(luma)
        self.height, self.width = luma.shape

    def gray(self, min_width: int = 0) -> GrayImage:
        """The one plane there is, whatever `min_width` in pixels."""
        del min_width
        return self._luma

    def bgr(self, min_width: int = 0) -> BgrImage:
        """The luma in all three channels, whatever `min_width` in pixels."""
        del min_width
        import cv2

        return frozen(np.asarray(cv2.cvtColor(self._luma, cv2.COLOR_GRAY2BGR), np.uint8))


class BgrPicture:
    """Decoded colour, [height, width, 3], from a video or a picture file."""

    def __init__(self, image: BgrImage) -> None:
        self._image = frozen(image)
        self.height, self.width = image.shape[:2]

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma at full size, whatever `min_width` in pixels; converted once."""
        del min_width
        return self._luma

    def bgr(self, min_width: int = 0) -> BgrImage:
        """The picture as it was decoded, whatever `min_width` in pixels."""
        del min_width
        return self._image

    @cached_property
    def _luma(self) -> GrayImage:
        import cv2

        return frozen(np.asarray(cv2.cvtColor(self._image, cv2.COLOR_BGR2GRAY), np.uint8))


class JpegPicture:
    """A JPEG as a camera sent it. Only its header is read before somebody asks for pixels.

    An orientation tag is ignored, so that every plane has the size the header says.

    Raises:
        FrameError: no JPEG header in `data` that gives a size, or no end marker (truncated).
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._planes: dict[int, GrayImage] = {}
        self._lock = Lock()
        self.width, self.height = jpeg_size(data)

    def gray(self, min_width: int = 0) -> GrayImage:
        """The smallest plane that is decoded already and wide enough, else a new one.

        libjpeg decodes to a half, a quarter or an eighth by leaving out coefficients, and to grey
        without decoding the colours (docs/benchmarks.md has the times).

        Raises:
            FrameError: the data is corrupt.
        """
        import cv2

        reductions = self._reductions_for(min_width)
        flags = {
            8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
            4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
            2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
            1: cv2.IMREAD_GRAYSCALE,
        }
        with self._lock:
            for reduction in reductions:
                if reduction in self._planes:
                    return self._planes[reduction]
            plane = self._decode(flags[reductions[0]])
            self._planes[reductions[0]] = plane
            return plane

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour, decoded on each call, no larger than need be: only a screen asks, and once.

        Raises:
            FrameError: the data is corrupt.
        """
        import cv2

        flags = {
            8: cv2.IMREAD_REDUCED_COLOR_8,
            4: cv2.IMREAD_REDUCED_COLOR_4,
            2: cv2.IMREAD_REDUCED_COLOR_2,
            1: cv2.IMREAD_COLOR,
        }
        return self._decode(flags[self._reductions_for(min_width)[0]])

    def _reductions_for(self, min_width: int) -> list[int]:
        """The reductions that leave at least this many pixels, the cheapest first."""
        wanted = min(min_width or self.width, self.width)
        return [r for r in REDUCTIONS if -(-self.width // r) >= wanted]

    def _decode(self, flags: int) -> NDArray[np.uint8]:
        import cv2

        buffer = np.frombuffer(self._data, np.uint8)
        image = cv2.imdecode(buffer, flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise FrameError(f"JPEG of {len(self._data)} bytes is corrupt; the frame is skipped")
        return frozen(np.asarray(image, np.uint8))


class YuyvPicture:
    """YUV 4:2:2 as USB cameras send it where they have no JPEG: Y0 U Y1 V, two bytes a pixel.

    Raises:
        FrameError: `data` is not of `size` (width, height).
    """

    def __init__(self, data: NDArray[np.uint8], size: tuple[int, int]) -> None:
        self.width, self.height = size
        if data.size != 2 * self.width * self.height:
            raise FrameError(f"{data.size} bytes are no {self.width}x{self.height} YUYV picture")
        self._data = frozen(data.reshape(self.height, self.width, 2))

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma at full size, whatever `min_width` in pixels: every other byte, picked once."""
        del min_width
        return self._luma

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour at full size, whatever `min_width`; converted on each call: only a screen asks."""
        del min_width
        import cv2

        return frozen(np.asarray(cv2.cvtColor(self._data, cv2.COLOR_YUV2BGR_YUYV), np.uint8))

    @cached_property
    def _luma(self) -> GrayImage:
        import cv2

        return frozen(np.asarray(cv2.extractChannel(self._data, 0), np.uint8))


class Yuv420Picture:
    """Planes of a libcamera request: the main stream, and a smaller one to search in.

    `main` and `lores` are YUV 4:2:0 buffers as they lie in memory, [rows, stride]: `height` rows of
    luma, then two chroma planes with half the stride, all in full range. Rows are padded to the
    stride, so luma is a view without the padding and nothing is copied.
    """

    def __init__(
        self,
        main: NDArray[np.uint8],
        size: tuple[int, int],
        lores: NDArray[np.uint8] | None = None,
        lores_size: tuple[int, int] = (0, 0),
    ) -> None:
        self._main = frozen(main)
        self.width, self.height = size
        self._planes = [frozen(main[: self.height, : self.width])]
        if lores is not None:
            self._planes.insert(0, frozen(lores[: lores_size[1], : lores_size[0]]))

    def gray(self, min_width: int = 0) -> GrayImage:
        """The camera's own small luma plane if it is at least `min_width` wide, else the main."""
        if min_width:
            for plane in self._planes:
                if plane.shape[1] >= min_width:
                    return plane
        return self._planes[-1]

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour, converted on each call: only a screen asks, and once.

        At half the size, which is that of the chroma planes, if that is at least `min_width` wide.
        In full range, as JPEG has it; OpenCV's own conversion of I420 knows the video range only.
        """
        import cv2

        chroma = self._main[self.height : self.height * 3 // 2].reshape(self.height, -1)
        half = chroma[:, : self.width // 2]
        luma, size = self._planes[-1], (self.width, self.height)
        if 0 < min_width <= self.width // 2:
            size = (self.width // 2, self.height // 2)
            luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        blue, red = (
            cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
            for plane in (half[: self.height // 2], half[self.height // 2 :])
        )
        colour = cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2BGR)
        return frozen(np.asarray(colour, np.uint8))
