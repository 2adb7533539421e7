import cv2
import pytest

from fer_edge.config import ImagesSource
from fer_edge.errors import SourceError
from fer_edge.sources import open_source


def read_all(path, **options):
    source = open_source(ImagesSource(type="images", path=path, **({"fast": True} | options)))
    with source.open() as stream:
        frames = []
        while (frame := stream.read()) is not None:
            frames.append(frame)
        assert stream.read() is None
    return frames


def write(folder, name, width):
    import numpy as np

    cv2.imwrite(str(folder / name), np.full((20, width, 3), 90, np.uint8))


def test_pictures_come_in_natural_order(tmp_path):
    names = ["1.png", "2.jpg", "10.bmp", "face 2.webp", "Face 10.TIFF", "z.jpeg"]
    for width, name in enumerate(names, start=30):
        write(tmp_path, name, width)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()
    frames = read_all(tmp_path)
    assert [frame.stamp.width for frame in frames] == [30, 31, 32, 33, 34, 35]
    assert [frame.stamp.seq for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert frames[0].picture.gray().shape == (20, 30)
    assert frames[0].picture.bgr().shape == (20, 30, 3)


def test_unreadable_pictures_are_skipped_with_one_warning_each(tmp_path, caplog, capfd, jpeg):
    write(tmp_path, "1.png", 30)
    (tmp_path / "2.jpg").write_bytes(b"")
    (tmp_path / "3.jpg").write_bytes(b"no picture at all")
    (tmp_path / "4.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    write(tmp_path, "5.png", 31)
    assert [frame.stamp.width for frame in read_all(tmp_path)] == [30, 31]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    for name, record in zip(("2.jpg", "3.jpg", "4.jpg"), caplog.records, strict=True):
        assert name in record.getMessage()
    assert capfd.readouterr().err == ""


def test_the_time_between_pictures(tmp_path):
    for number in range(3):
        write(tmp_path, f"{number}.png", 30)
    first, _, last = (frame.stamp for frame in read_all(tmp_path, fps=2))
    assert (last.captured_at - first.captured_at).total_seconds() == pytest.approx(1)
    paced = [frame.stamp for frame in read_all(tmp_path, fps=20, fast=False)]
    assert paced[2].captured_ns - paced[0].captured_ns >= 0.09e9


def test_a_picture_with_an_orientation_tag_is_turned_upright(tmp_path):
    from PIL import Image

    tags = Image.Exif()
    tags[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "1.jpg", exif=tags)
    (frame,) = read_all(tmp_path)
    assert (frame.stamp.width, frame.stamp.height) == (20, 40)


@pytest.mark.parametrize("content", ["nothing", "text"])
def test_an_empty_folder(tmp_path, content):
    if content == "text":
        (tmp_path / "a.txt").touch()
    with pytest.raises(SourceError, match="no picture in it"):
        read_all(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        read_all(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="Not a directory"):
        read_all(tmp_path / "file")


def test_a_folder_without_one_readable_picture(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"text")
    with pytest.raises(SourceError, match="none of its pictures"):
        read_all(tmp_path)
