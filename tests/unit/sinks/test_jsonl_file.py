"""JSON lines to files that are full, moved, too large or too old."""

import json
import os
import resource
from pathlib import Path

import pytest

from fer_edge.config import JsonlConfig, RetryConfig
from fer_edge.errors import OutputClosedError, SinkError
from fer_edge.sinks._lines import LinesFile
from fer_edge.sinks.jsonl_file import JsonlFileSink

RETRY = RetryConfig(initial_s=0.5, max_s=1.0)


def open_sink(path, clock, *, strict=False, **config):
    return JsonlFileSink(
        path,
        JsonlConfig(max_age_h=87_600, **config),
        "kitchen",
        retry=RETRY,
        strict=strict,
        clock_ns=clock,
    )


def lines_of(path):
    content = path.read_bytes()
    assert content.endswith(b"\n") or not content
    return [json.loads(line) for line in content.splitlines()]


def test_a_file_is_appended_to_line_by_line(tmp_path, clock, result, face):
    path = tmp_path / "faces.jsonl"
    for count in (1, 2):
        sink = open_sink(path, clock)
        sink.put(result(face()))
        assert path.read_text().count("\n") == count
        sink.close()


@pytest.fixture
def sight(clock, result, face):
    return clock, result, face


@pytest.fixture
def small_files():
    """No file may become larger than 4000 bytes, as on a full disk: half of a line may still fit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_is_one_warning_and_whole_lines_then_it_goes_on(
    tmp_path, sight, small_files, caplog
):
    clock, result, face = sight
    caplog.set_level("INFO", "fer_edge")
    path = tmp_path / "faces.jsonl"
    sink = open_sink(path, clock)
    for _ in range(50):
        clock.tick(0.2)
        sink.put(result(face()))
    written = len(lines_of(path))
    assert 0 < written < 50
    assert [record.getMessage() for record in caplog.records] == [
        f"jsonl.path: cannot write {path}: File too large; trying again until it works"
    ]
    small_files()
    clock.tick(2)
    sink.put(result(face()))
    sink.close()
    assert len(lines_of(path)) == written + 1
    assert caplog.records[-1].getMessage() == (
        f"jsonl.path: {path} is written again; lines lost so far: {50 - written}"
    )


def test_a_recording_may_lose_no_line(clock, result, face):
    sink = open_sink(Path("/dev/full"), clock, strict=True)
    with pytest.raises(SinkError) as caught:
        sink.put(result(face()))
    assert str(caught.value).startswith("/dev/full: cannot write: No space left on device; ")
    assert caught.value.exit_code == 74
    sink.close()


def test_a_folder_that_is_not_there_is_one_line(tmp_path, clock):
    with pytest.raises(SinkError, match=r"jsonl.path: cannot write .*: No such file or directory"):
        open_sink(tmp_path / "nowhere" / "faces.jsonl", clock)


def test_a_pipe_that_nobody_reads_is_one_line_and_no_wait(tmp_path, clock, result, face):
    pipe = tmp_path / "faces"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match=r"jsonl.path: cannot write .*: a pipe that nobody reads"):
        open_sink(pipe, clock)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = open_sink(pipe, clock)
    sink.put(result(face()))
    assert json.loads(os.read(reader, 10_000))["faces"]
    os.close(reader)
    with pytest.raises(OutputClosedError):
        sink.put(result(face()))
    sink.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"schema":"a"}\n{"schema":"fer-edge/fa', b'{"schema":"a"}\n'),
        (b'{"sch', b""),
        (b"a line of somebody else", b"a line of somebody else\n"),
        (b'{"schema":"a"}\n', b'{"schema":"a"}\n'),
    ],
)
def test_half_a_line_that_a_power_cut_left(tmp_path, before, after):
    path = tmp_path / "faces.jsonl"
    path.write_bytes(before)
    LinesFile(path, max_bytes=1e6, max_age_s=1e6, keep=1).close()
    assert path.read_bytes() == after


def test_a_large_file_is_begun_anew_and_the_oldest_deleted(tmp_path, clock, result, face):
    path = tmp_path / "faces.jsonl"
    sink = open_sink(path, clock, max_mb=0.01, keep=2)
    for _ in range(200):
        sink.put(result(face()))
    sink.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "faces.jsonl",
        "faces.jsonl.1",
        "faces.jsonl.2",
    ]
    newest_first = [path, tmp_path / "faces.jsonl.1", tmp_path / "faces.jsonl.2"]
    seqs = [line["seq"] for one in reversed(newest_first) for line in lines_of(one)]
    assert seqs == list(range(seqs[0], 200)), "no line is lost between two files"
    assert all(one.stat().st_size <= 10_000 for one in newest_first)


def test_an_old_file_is_begun_anew_also_after_a_restart(tmp_path):
    path = tmp_path / "faces.jsonl"
    path.write_bytes(b'{"schema":"x","captured_at":"2026-01-01T12:00:00.000Z"}\n')
    start = 1767268800.0  # the same moment
    for now_s, files in ((start + 3599, 1), (start + 3601, 2)):
        file = LinesFile(path, max_bytes=1e6, max_age_s=3600, keep=3, clock=lambda at=now_s: at)
        file.write(b"{}\n")
        file.close()
        assert len(list(tmp_path.iterdir())) == files
    assert path.read_bytes() == b"{}\n"


def test_keeping_none(tmp_path):
    path = tmp_path / "faces.jsonl"
    file = LinesFile(path, max_bytes=10, max_age_s=1e6, keep=0)
    for number in range(5):
        file.write(b"%d2345678\n" % number)
    file.close()
    assert [one.name for one in tmp_path.iterdir()] == ["faces.jsonl"]
    assert path.read_bytes() == b"42345678\n"


def test_a_file_that_somebody_moved_is_begun_anew(tmp_path):
    path = tmp_path / "faces.jsonl"
    now = [0.0]
    file = LinesFile(path, max_bytes=1e6, max_age_s=1e9, keep=1, clock=lambda: now[0])
    file.write(b"a\n")
    path.rename(tmp_path / "old")
    now[0] = 2.0
    file.write(b"b\n")
    file.close()
    assert (path.read_bytes(), (tmp_path / "old").read_bytes()) == (b"b\n", b"a\n")


def test_a_file_that_cannot_be_renamed_grows_on(tmp_path, caplog):
    path = tmp_path / "faces.jsonl"
    (tmp_path / "faces.jsonl.1").mkdir()
    file = LinesFile(path, max_bytes=5, max_age_s=1e9, keep=1)
    for _ in range(3):
        file.write(b"1234\n")
    file.close()
    assert path.read_bytes() == b"1234\n" * 3
    assert len(caplog.records) == 1
