"""Video files that ffmpeg made, read back."""

import logging

import pytest
from streams import ffmpeg, make_video, needs_ffmpeg

from fer_edge.config import FileSource
from fer_edge.errors import SourceError
from fer_edge.sources import open_source

pytestmark = needs_ffmpeg


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4", "-movflags", "+faststart")


def read(path, count=10_000, **options):
    source = open_source(FileSource(type="file", path=path, **({"fast": True} | options)))
    frames = []
    with source.open() as stream:
        while len(frames) < count and (frame := stream.read()) is not None:
            frames.append(frame)
    return frames


def positions(frames):
    start = frames[0].stamp.captured_at
    return [(frame.stamp.captured_at - start).total_seconds() for frame in frames]


@pytest.mark.interpreter
def test_every_frame_with_its_recorded_time(video):
    frames = read(video)
    assert [frame.stamp.seq for frame in frames] == list(range(50))
    assert positions(frames) == pytest.approx([n / 25 for n in range(50)], abs=0.002)
    assert frames[0].picture.gray().shape == (180, 320)
    assert frames[0].picture.bgr().shape == (180, 320, 3)
    assert (frames[0].picture.gray() != frames[25].picture.gray()).any()


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mov", "a.webm", "a.ts", "a.mjpeg.avi"])
def test_containers_and_codecs(tmp_path, name):
    options = ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"] if "mjpeg" in name else []
    frames = read(make_video(tmp_path / name, *options, seconds=1))
    assert len(frames) == 25
    assert positions(frames)[-1] == pytest.approx(0.96, abs=0.05)


def test_a_variable_rate(tmp_path, video):
    # Every frame for half a second, then every fifth.
    keep = "select='if(lt(t,0.5),1,not(mod(n,5)))'"
    ffmpeg("-i", video, "-vf", keep, "-vsync", "vfr", tmp_path / "vfr.mkv")
    steps = positions(read(tmp_path / "vfr.mkv"))
    assert steps[1] - steps[0] == pytest.approx(0.04, abs=0.003)
    assert steps[-1] - steps[-2] == pytest.approx(0.2, abs=0.003)
    assert steps[-1] == pytest.approx(1.8, abs=0.05)


def test_frames_at_the_recordings_own_pace(tmp_path, video):
    frames = read(video, count=8, fast=False)
    # Never early; how late is the machine's business.
    assert frames[-1].stamp.captured_ns - frames[0].stamp.captured_ns >= 0.26e9
    assert frames[-1].stamp.captured_at > frames[0].stamp.captured_at


def test_round_and_round(video):
    frames = read(video, count=120, loop=True)
    assert [frame.stamp.seq for frame in frames] == list(range(120))
    assert positions(frames) == pytest.approx([n / 25 for n in range(120)], abs=0.003)
    assert (frames[50].picture.gray() == frames[0].picture.gray()).all()


def test_a_second_opening_begins_anew_and_counts_on(video):
    source = open_source(FileSource(type="file", path=video, fast=True))
    numbers, pictures = [], []
    for _ in range(2):
        with source.open() as stream:
            frame = stream.read()
            numbers.append(frame.stamp.seq)
            pictures.append(frame.picture.gray())
    assert numbers == [0, 1]
    assert (pictures[0] == pictures[1]).all()


def test_a_recording_that_lies_on_its_side_is_turned_upright(tmp_path, video):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", video, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
    frame = read(turned, count=1)[0]
    assert (frame.stamp.width, frame.stamp.height) == (180, 320)
    assert frame.picture.gray().shape == (320, 180)


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.avi"])
def test_a_recording_that_breaks_off(tmp_path, video, caplog, capfd, name):
    whole = tmp_path / f"whole-{name}"
    ffmpeg("-i", video, "-c:v", "mpeg4", "-movflags", "+faststart", whole)
    data = whole.read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 6 // 10])
    frames = read(tmp_path / name)
    assert 5 < len(frames) < 48
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert name in record.getMessage()
    assert "breaks off" in record.getMessage()
    assert capfd.readouterr().err == ""


def test_a_recording_that_is_whole_ends_without_a_warning(video, caplog, capfd):
    assert len(read(video)) == 50
    assert not caplog.records
    assert capfd.readouterr().err == ""


def test_a_video_under_a_strange_name(tmp_path, video, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "http:x %03d é.mp4"
    (tmp_path / name).write_bytes(video.read_bytes())
    assert len(read(name)) == 50


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"only text, whatever its name says\n" * 50, "not a video that FFmpeg can read"),
        (b"\0" * 5000, "not a video that FFmpeg can read"),
    ],
)
def test_no_video(tmp_path, capfd, content, reason):
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=reason) as raised:
        read(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


def test_sound_alone_is_no_video(tmp_path, capfd):
    sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", sound)
    with pytest.raises(SourceError, match="not a video"):
        read(sound)
    assert capfd.readouterr().err == ""


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(SourceError, match="Is a directory"):
        read(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("clip", "frames", "size"),
    [("single_face.mp4", 72, (640, 360)), ("face_noface.mov", 169, (960, 540))],
)
def test_clips(data, clip, frames, size):
    stamps = [frame.stamp for frame in read(data / "clips" / clip)]
    assert len(stamps) == frames
    assert (stamps[0].width, stamps[0].height) == size
