"""`fer-edge analyze` as a person runs it, on recordings of every kind."""

import csv
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from daemon import PROGRAM, call, environment

from fer_edge.quiet import quiet_opencv
from fer_edge.sources.demo import Demo
from fer_edge.types import EMOTIONS

FRAMES = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds of the demo's face."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with Demo(fast=True, size=(640, 360), frames=FRAMES).open() as stream:
        encode(path, (frame.picture.bgr() for frame in iter(stream.read, None)))
    return path


def encode(path, images, *options, size=(640, 360)):
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24"]
    command += ["-s", "{}x{}".format(*size), "-r", "30", "-i", "-", "-pix_fmt", "yuv420p"]
    with subprocess.Popen([*command, *options, path], stdin=subprocess.PIPE) as process:
        for image in images:
            process.stdin.write(image.tobytes())
        process.stdin.close()
    assert process.returncode == 0


def remake(source, target, *options, before=()):
    command = ["ffmpeg", "-v", "error", "-y", *before, "-i", source, *options, target]
    subprocess.run(command, check=True)
    return target


def analyze(*arguments, code=0, **extra):
    done = call("analyze", *arguments, **extra)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def rows(out):
    with (out / "faces.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (out / "faces.jsonl").read_text().splitlines()]
    assert [{k: str(v) for k, v in line.items()} for line in lines] == table
    return lines


class Page(html.parser.HTMLParser):
    """A report: well formed, whole, and without a way out."""

    VOID = ("meta", "img")

    def __init__(self, out):
        super().__init__()
        self.text, self.images, self.alts, self._open = "", [], [], []
        source = (out / "report.html").read_text()
        self.feed(source)
        self.close()
        assert self._open == []
        assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link", source)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self._open.append(tag)
        for key, value in attrs:
            assert key not in {"href", "xlink:href", "srcset"}
            if key == "alt":
                self.alts.append(value)
            if key == "src":
                assert value.startswith("data:image/jpeg;base64,")
                self.images.append(value)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def frames_of(path):
    capture = quiet_opencv().VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    return count


def test_tables_report_and_video(clip, tmp_path):
    out = tmp_path / "out"
    done = analyze(clip, "--out", out, "--video")
    names = ["clip.annotated.mp4", "faces.csv", "faces.jsonl", "report.html"]
    assert sorted(file.name for file in out.iterdir()) == names
    assert done.stdout.splitlines() == [str(out / name) for name in names]
    table = rows(out)
    assert {row["face"] for row in table} == {1}
    assert [row["frame"] for row in table] == list(range(table[0]["frame"], FRAMES))
    assert table[-1]["time_s"] == pytest.approx((FRAMES - 1) / 30, abs=0.002)
    for row in table:
        assert sum(row[emotion] for emotion in EMOTIONS) == pytest.approx(1, abs=0.001)
    assert sum(row["emotion"] == "happy" for row in table) > 0.8 * len(table)
    page = Page(out)
    assert "mostly happy" in page.text
    assert "derived from the FER+ votes" in page.text
    assert page.images == []
    assert frames_of(out / "clip.annotated.mp4") == FRAMES


def test_thumbnails_only_if_asked(clip, tmp_path):
    analyze(clip, "--out", tmp_path, "--thumbnails")
    page = Page(tmp_path)
    assert len(page.images) >= 3
    assert len(set(page.alts)) == len(page.alts) == len(page.images)
    assert re.fullmatch(r"face 1 at \d\.\d s, happy", page.alts[-1])


def test_a_recording_that_breaks_off(clip, tmp_path):
    options = ["-c:v", "mpeg4", "-movflags", "+faststart"]
    data = remake(clip, tmp_path / "whole.mp4", *options).read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: len(data) * 2 // 3])
    done = analyze(broken, "--out", tmp_path / "out", "--video")
    assert "breaks off" in done.stderr
    table = rows(tmp_path / "out")
    assert 10 < len(table) < FRAMES - 5
    assert frames_of(tmp_path / "out" / "broken.annotated.mp4") >= len(table)


def test_a_variable_frame_rate(clip, tmp_path):
    """The second half at a third of the speed: two seconds become four."""
    slower = "setpts='if(lt(N,30),N,30+(N-30)*3)/30/TB'"
    varied = remake(clip, tmp_path / "varied.mkv", "-vf", slower, "-fps_mode", "vfr")
    analyze(varied, "--out", tmp_path / "out", "--video")
    table = rows(tmp_path / "out")
    assert table[-1]["frame"] == FRAMES - 1
    assert table[-1]["time_s"] == pytest.approx((30 + 29 * 3) / 30, abs=0.1)
    capture = quiet_opencv().VideoCapture(str(tmp_path / "out" / "varied.annotated.mp4"))
    seconds = capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS)
    assert seconds == pytest.approx(4, abs=0.2)


def test_a_rotated_recording_is_upright(clip, tmp_path):
    """Stored on its side, as phones do, with a note which way is up."""
    lying = remake(clip, tmp_path / "lying.mp4", "-vf", "transpose=1")
    # FFmpeg 6 has an option of its own; before it was the metadata that told.
    old = b"display_rotation" not in subprocess.check_output(
        ["ffmpeg", "-v", "quiet", "-h", "full"]
    )
    told = ["-c", "copy", *(["-metadata:s:v:0", "rotate=90"] if old else [])]
    before = () if old else ("-display_rotation", "90")
    noted = remake(lying, tmp_path / "noted.mp4", *told, before=before)
    analyze(noted, "--out", tmp_path / "out", "--video")
    table = rows(tmp_path / "out")
    assert len(table) > FRAMES / 2
    capture = quiet_opencv().VideoCapture(str(tmp_path / "out" / "noted.annotated.mp4"))
    assert capture.read()[1].shape[:2] == (360, 640)


def test_no_faces(tmp_path):
    encode(tmp_path / "empty.mp4", [np.full((360, 640, 3), 90, np.uint8)] * 20)
    analyze(tmp_path / "empty.mp4", "--out", tmp_path / "out", "--video")
    assert rows(tmp_path / "out") == []
    assert "No face was found in its 20 frames." in Page(tmp_path / "out").text
    assert frames_of(tmp_path / "out" / "empty.annotated.mp4") == 20


def test_pictures_and_videos_of_a_folder_and_a_file(clip, tmp_path):
    folder = tmp_path / "holiday"
    folder.mkdir()
    for number, faces in ((1, 1), (2, 2), (10, 0)):
        with Demo(fast=True, size=(960, 540), faces=faces).open() as stream:
            cv2.imwrite(str(folder / f"p{number}.jpg"), stream.read().picture.bgr())
    (folder / "notes.txt").write_text("not a video")
    (folder / "b.mp4").write_bytes(clip.read_bytes())
    analyze(folder, clip, "--out", tmp_path / "out", "--thumbnails")
    table = rows(tmp_path / "out")
    pictures = [row["picture"] for row in table if row["recording"] == "holiday"]
    assert pictures == ["p1.jpg", "p2.jpg", "p2.jpg"], "each by itself, at once"
    assert {row["recording"] for row in table} == {"holiday", "b.mp4", "clip.mp4"}
    page = Page(tmp_path / "out")
    assert all(name in page.text for name in ("holiday", "b.mp4", "clip.mp4", "p2.jpg"))
    for row in table[:3]:
        alt = f"face {row['face']} in {row['picture']}, {row['emotion']}"
        assert alt in page.alts
        assert f"{row['picture']}{row['face']}{row['emotion']}" in page.text, "its number stays"


def test_pictures_as_frames(tmp_path):
    with Demo(fast=True, size=(640, 360), frames=20).open() as stream:
        for number, frame in enumerate(iter(stream.read, None)):
            cv2.imwrite(str(tmp_path / f"{number}.png"), frame.picture.bgr())
    analyze(tmp_path, "--out", tmp_path / "out", "--fps", "30")
    table = rows(tmp_path / "out")
    assert {row["face"] for row in table} == {1}
    assert table[-1]["time_s"] == pytest.approx(19 / 30, abs=0.001)


def test_an_interrupted_run_leaves_what_was_there(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "faces.csv").write_text("of an earlier run")
    with Demo(fast=True, size=(640, 360), frames=30).open() as stream:
        images = [frame.picture.bgr() for frame in iter(stream.read, None)]
    encode(tmp_path / "long.mp4", images * 100, "-preset", "ultrafast")
    for number in (signal.SIGINT, signal.SIGTERM):
        command = [*PROGRAM, "analyze", tmp_path / "long.mp4", "--out", out, "--video"]
        with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + 30
            while not any(file.stat().st_size for file in out.glob(".unfinished-*/*.mp4")):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.02)
            process.send_signal(number)
            assert b"stopped; nothing was written" in process.stderr.read()
        assert process.returncode == 130
        assert [file.name for file in out.iterdir()] == ["faces.csv"]
        assert (out / "faces.csv").read_text() == "of an earlier run"


def test_what_cannot_be_read_is_one_line(clip, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    for bad in ("text.mp4", "empty", "nowhere.mp4"):
        done = analyze(clip, tmp_path / bad, "--out", tmp_path / "out", code=66)
        (line,) = done.stderr.splitlines()  # and not a word from OpenCV
        assert line.startswith(f"fer-edge: {tmp_path / bad}: ")
        assert not (tmp_path / "out").exists()


def test_names_that_are_not_utf_8(clip, tmp_path):
    """As old disks have them; OpenCV crashed on them."""
    video, folder = (os.fsdecode(os.fsencode(tmp_path / name) + b"\xff") for name in "vf")
    shutil.copy(clip, f"{video}.mp4")
    done = analyze(f"{video}.mp4", "--out", tmp_path / "out", code=66)
    assert "the name is not UTF-8" in done.stderr
    Path(folder).mkdir()
    with Demo(fast=True, size=(640, 360)).open() as stream:
        jpeg = cv2.imencode(".jpg", stream.read().picture.bgr())[1]
    Path(folder, os.fsdecode(b"\xfe.jpg")).write_bytes(jpeg.tobytes())
    analyze(folder, "--out", tmp_path / "out")
    assert {row["picture"] for row in rows(tmp_path / "out")} == {"\N{REPLACEMENT CHARACTER}.jpg"}
    assert "f\N{REPLACEMENT CHARACTER}" in Page(tmp_path / "out").text


def test_ctrl_c_in_a_terminal(tmp_path):
    """It reaches every process of the group, and leaves not even an empty folder."""
    with Demo(fast=True, size=(640, 360), frames=30).open() as stream:
        images = [frame.picture.bgr() for frame in iter(stream.read, None)]
    encode(tmp_path / "long.mp4", images * 100, "-preset", "ultrafast")
    out = tmp_path / "new" / "out"
    command = [*PROGRAM, "analyze", tmp_path / "long.mp4", "--out", out, "--video"]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 30
        while not any(file.stat().st_size for file in out.glob(".unfinished-*/*.mp4")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr.read() == b"fer-edge: stopped; nothing was written\n"
    assert process.returncode == 130
    assert not (tmp_path / "new").exists()


def test_two_of_one_name(clip, tmp_path):
    other = tmp_path / "clip.mp4"
    other.write_bytes(clip.read_bytes())
    done = analyze(clip, other, "--out", tmp_path / "out", code=66)
    assert "two inputs are called clip.mp4" in done.stderr


def test_a_folder_that_cannot_be_written(clip, tmp_path):
    (tmp_path / "file").write_text("")
    done = analyze(clip, "--out", tmp_path / "file" / "out", code=74)
    assert "--out" in done.stderr


def test_the_report_in_a_browser(clip, tmp_path):
    """It opens, without the network, and the charts have their colours."""
    analyze(clip, "--out", tmp_path)
    screenshot = tmp_path / "report.png"
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    flags += " --disable-background-networking --disable-component-update --disable-sync"
    command = ["chromium", *flags.split(), f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--window-size=1200,1100", f"--screenshot={screenshot}"]
    subprocess.run(
        [*command, (tmp_path / "report.html").as_uri()], check=True, capture_output=True, timeout=90
    )
    image = cv2.imread(str(screenshot))
    assert image.shape == (1100, 1200, 3)
    happy = np.abs(image.astype(int) - (0x2E, 0xD9, 0xE8)).max(axis=2) < 4
    assert happy.mean() > 0.02, "most of the timeline is happy"


@pytest.mark.data
def test_neutral_at_the_start_and_happy_at_the_end(data, tmp_path):
    analyze(data / "clips" / "single_face.mp4", "--out", tmp_path, "--video")
    emotions = [row["emotion"] for row in rows(tmp_path)]
    assert emotions[0] == "neutral"
    assert emotions[-1] == "happy"
    assert "neutral" in Page(tmp_path).text


@pytest.mark.data
def test_a_clip_without_faces(data, tmp_path):
    analyze(data / "clips" / "no_face.mp4", "--out", tmp_path)
    assert rows(tmp_path) == []
