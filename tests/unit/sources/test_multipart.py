"""JPEGs out of what cameras send, however they write it, and bounds for what is no picture."""

import random

import cv2
import numpy as np
import pytest

from fer_edge.errors import SourceLostError
from fer_edge.sources._multipart import CHUNK, MAX_HEADER, MAX_PART, JpegSplitter


def jpeg(seed, size=(48, 64)):
    noise = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


JPEGS = [jpeg(seed) for seed in range(5)]


def with_thumbnail(data):
    """As cameras put one into Exif: a JPEG in a segment of the JPEG."""
    inner = b"Exif\0\0" + jpeg(99, (8, 8))
    return data[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + data[2:]


def cut(data, step=None, seed=0):
    """What is split out of `data` when it comes in pieces of `step` bytes, or of any size."""
    chance, position = random.Random(seed), 0

    def read(most):
        nonlocal position
        size = min(most, step or chance.randint(1, 3000))
        position += size
        return data[position - size : position]

    splitter = JpegSplitter(read)
    pictures = []
    while (picture := splitter.next()) is not None:
        pictures.append(picture)
    return pictures


def parts(pictures, head):
    return b"".join(head.replace(b"LENGTH", b"%d" % len(p)) + p + b"\r\n" for p in pictures)


@pytest.mark.parametrize(
    "head",
    [
        b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n",
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n",
        b"--frame\ncontent-length:LENGTH\n\n",
        b"--frame\r\nContent-Length: 99999999x\r\n\r\n",
        b"--frame\r\nContent-Length: 7\r\n\r\n",
        b"",
    ],
    ids=["length", "no length", "line feeds", "no number", "wrong length", "bare pictures"],
)
@pytest.mark.parametrize("step", [1, 7, None, CHUNK])
def test_pictures_come_out_as_they_were_sent(head, step):
    pictures = [*JPEGS, with_thumbnail(JPEGS[0])]
    assert cut(parts(pictures, head), step) == pictures


def endless(begin):
    """A read function that gives `begin` and then zeros without end, and how much it has given."""
    given = [0]

    def read(most):
        data = begin if not given[0] else bytes(most)
        given[0] += len(data)
        return data

    return read, given


@pytest.mark.parametrize(
    ("begin", "what", "limit"),
    [
        (b"--frame\r\n", "header", MAX_HEADER),
        (b"--frame\r\n\r\n" + JPEGS[0][:700], "picture", MAX_PART),
        (b"\xff\xd8\xff\xda", "picture", MAX_PART),
    ],
)
def test_what_has_no_end_is_given_up(begin, what, limit):
    read, given = endless(begin)
    with pytest.raises(SourceLostError, match=f"sends a {what} of more than"):
        JpegSplitter(read).next()
    assert given[0] <= limit + 2 * CHUNK


def test_a_length_that_no_picture_has_is_refused_before_it_is_read():
    read, given = endless(b"Content-Length: 99999999999\r\n\r\n" + JPEGS[0][:700])
    with pytest.raises(SourceLostError, match="sends a picture of more than 32 MB"):
        JpegSplitter(read).next()
    assert given[0] < 2 * CHUNK


def test_whatever_comes_ends_in_pictures_or_one_error():
    chance = random.Random(5)
    whole = parts(JPEGS, b"--frame\r\nContent-Length: LENGTH\r\n\r\n")
    for seed in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(len(data))] = chance.choice([0, 0xD8, 0xD9, 0xFF, 0xDA, 0x0A])
        try:
            pictures = cut(bytes(data[: chance.randrange(len(data))]), seed=seed)
        except SourceLostError:
            continue
        assert all(picture.startswith(b"\xff\xd8") for picture in pictures)
