import re
import shutil
import subprocess
from pathlib import Path

import measure.arm64
import pytest
from measure.arm64.command import check, main, name_of, shares_of, table_of
from measure.arm64.emulate import Count, add_up, owner_of
from measure.arm64.stages import LABELS, MAGIC, Stage

SOURCE = Path(measure.arm64.__file__).with_name("count.c")
LIBRARIES = [
    (0x5000, 0x8000, "/arm/opt/site/cv2/cv2.abi3.so"),
    (0x1000, 0x3000, "/arm/usr/bin/python3.13"),
]


def test_instructions_are_added_up_by_stage_and_owner():
    lines = ["2 5000 400", "2 7000 100", "2 1000 50", "5 4000 30", "0 5000 9999"]

    counted = add_up(lines, LIBRARIES, frames=10)

    assert counted == {
        Stage.FOLLOW: {"OpenCV": 50.0, "Python": 5.0},
        Stage.READ: {"C library": 3.0},
    }
    count = Count(counted, {})
    assert count.total == 58.0
    assert count.shares() == pytest.approx(
        {"OpenCV": 50 / 58, "Python": 5 / 58, "C library": 3 / 58}
    )


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/a/opt/site/ai_edge_litert/_pywrap.so", "interpreter"),
        ("/a/opt/site/opencv_python_headless.libs/libx.so", "OpenCV"),
        ("/a/opt/site/numpy/_core/_multiarray.so", "numpy"),
        ("/a/usr/lib/python3.13/lib-dynload/_json.so", "Python"),
        ("/a/usr/lib/aarch64-linux-gnu/libc.so.6", "C library"),
        ("/numpy/opt/site/cv2/cv2.so", "OpenCV"),
    ],
)
def test_a_library_has_an_owner(file, owner):
    assert owner_of(file) == owner


def test_only_what_grew_by_more_than_the_slack_is_named():
    golden = {"a": 100.0, "b": 100.0, "c": 100.0}

    said = check({"a": 101.9, "b": 102.1, "c": 50.0, "d": 1.0}, golden)

    assert [line[0] for line in said] == ["b", "d"]
    assert "2.1% more" in said[0]
    assert "--write" in said[1]


def test_tables_have_a_column_for_each_stage():
    count = Count({Stage.FOLLOW: {"OpenCV": 3e6}, Stage.READ: {"interpreter": 1e6}}, {})
    name = name_of("viola_jones", 0.25, "int8", "luma", 40)

    row = table_of({name: count}).splitlines()[-1]

    assert row == f"| {name} |  | 3.00 |  |  | 1.00 |  | **4.00** |"
    assert shares_of({name: count}).splitlines()[-1] == f"| {name} | 75% | 25% |"


def test_plugin_and_guest_agree_on_stages():
    text = SOURCE.read_text()

    assert int(re.search(r"MAGIC = UINT64_C\((\w+)\)", text)[1], 16) == MAGIC
    assert max(Stage) < int(re.search(r"STAGES = (\d+)", text)[1])
    assert set(LABELS) == set(Stage) - {Stage.OUTSIDE}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_the_plugin_compiles_without_warnings():
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", str(SOURCE)]

    assert subprocess.run(command, check=False).returncode == 0


def test_a_missing_root_is_asked_for(monkeypatch, capsys):
    monkeypatch.delenv("FER_EDGE_ARM64_ROOT", raising=False)

    with pytest.raises(SystemExit):
        main([])
    assert "--root or FER_EDGE_ARM64_ROOT" in capsys.readouterr().err
