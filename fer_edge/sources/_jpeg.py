"""A JPEG's size from its header (ITU-T T.81, annex B), without decoding it."""

from fer_edge.errors import FrameError

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
START_OF_SCAN = 0xDA
# SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC), which lie between them.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        FrameError: not a JPEG, or one that breaks off before its end marker.
    """
    if data[:2] != SOI:
        raise FrameError(f"not a JPEG ({len(data)} bytes); the frame is skipped")
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in STANDALONE:
            position += 2
        elif marker in FRAME_HEADERS:
            return _size(data, position)
        elif marker == START_OF_SCAN:
            break
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    raise FrameError(f"JPEG of {len(data)} bytes without a frame header; the frame is skipped")


def _size(data: bytes, position: int) -> tuple[int, int]:
    height = int.from_bytes(data[position + 5 : position + 7], "big")
    width = int.from_bytes(data[position + 7 : position + 9], "big")
    if not width or not height:
        raise FrameError("JPEG header gives no size; the frame is skipped")
    # Within a scan 0xFF is followed by 0x00, so the end marker is found only at the end; cameras
    # pad after it, and libjpeg would fill what a truncated picture lacks with grey.
    if data.rfind(EOI, position) < 0:
        raise FrameError(f"JPEG of {len(data)} bytes is truncated; the frame is skipped")
    return width, height
