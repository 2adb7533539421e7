"""Clock and memory, on a recorded machine."""

import pytest

from fer_edge.system._machine import check_clock, check_memory, check_memory_limit


def put(root, name, text=""):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_clock(tmp_path):
    assert check_clock(tmp_path).ok is None
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    check = check_clock(tmp_path)
    assert check.ok is False
    assert "timedatectl" in check.remedy
    put(tmp_path, "run/systemd/timesync/synchronized")
    assert check_clock(tmp_path).ok is True


@pytest.mark.parametrize(("kib", "ok"), [(299 * 1024, False), (300 * 1024, True)])
def test_memory(tmp_path, kib, ok):
    assert check_memory(tmp_path).ok is None
    put(tmp_path, "proc/meminfo", f"MemTotal: 3881600 kB\nMemAvailable:   {kib} kB\n")
    check = check_memory(tmp_path)
    assert check.ok is ok
    assert f"{kib // 1024} MB free" in check.detail


@pytest.mark.parametrize(
    ("text", "ok", "word"),
    [
        ("", None, "cannot be told"),
        ("cpuset cpu io pids\n", None, "cgroup_enable=memory"),
        ("cpuset cpu io memory pids\n", True, "can limit"),
    ],
)
def test_memory_limit(tmp_path, text, ok, word):
    put(tmp_path, "sys/fs/cgroup/cgroup.controllers", text)
    check = check_memory_limit(tmp_path)
    assert check.ok is ok
    assert word in check.detail
