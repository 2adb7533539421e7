"""What a user installs: the wheel, in an environment of its own, with no checkout near."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from daemon import environment

ROOT = Path(__file__).parents[2]


def run(*command, cwd, timeout_s=300):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_what_it_needs_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "fer_edge/_models/mobilenet_v1_0.25_112_int8.tflite",
        "fer_edge/_models/mobilenet_v1_0.25_112_int8.json",
        "fer_edge/sinks/faces.schema.json",
        "fer_edge/sources/astronaut.jpg",
        "fer_edge/py.typed",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fer_edge"}
    assert wheel.stat().st_size < 37e6


def test_the_wheel_holds_what_runs_on_a_pi(wheel):
    """Every module of the package but training, the models and their cards, and what parts read."""
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    modules = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "fer_edge").rglob("*.py")
        if "training" not in file.parts
    }
    models = {
        f"fer_edge/_models/mobilenet_v1_{alpha}_112_{precision}.{ending}"
        for alpha in ("0.25", "0.35", "0.5", "0.75", "1", "1.4")
        for precision in ("float32", "int8")
        for ending in ("tflite", "json")
    }
    others = {
        "fer_edge/_models/README.md",
        "fer_edge/_models/detectors/README.md",
        "fer_edge/_models/detectors/face_detection_yunet_2023mar.onnx",
        "fer_edge/_models/golden.json",
        "fer_edge/analyze/report.css",
        "fer_edge/annotate/page/annotate.css",
        "fer_edge/annotate/page/annotate.js",
        "fer_edge/annotate/page/index.html",
        "fer_edge/overlay/open-sans-semibold.md",
        "fer_edge/overlay/open-sans-semibold.ttf",
        "fer_edge/py.typed",
        "fer_edge/sinks/faces.schema.json",
        "fer_edge/sources/astronaut.jpg",
        "fer_edge/sources/astronaut.md",
    }
    assert names == modules | models | others


@pytest.mark.timeout(600)
def test_it_runs_the_demo_without_a_checkout(wheel, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    bin_folder = tmp_path / "venv" / "bin"
    run(bin_folder / "pip", "install", "--quiet", wheel, cwd=tmp_path)
    program = bin_folder / "fer-edge"
    output = run(
        program, "run", "--source", "demo", "--fast", "--set", "source.frames=40", cwd=tmp_path
    )
    messages = [json.loads(line) for line in output.splitlines()]
    assert messages[-1]["faces"][0]["emotion"] == "happy"
    assert json.loads(run(program, "schema", cwd=tmp_path))["type"] == "object"
    report = json.loads(
        run(program, "bench", "--alpha", "0.25", "--frames", "5", "--json", cwd=tmp_path)
    )
    assert report["runs"][0]["alpha"] == 0.25
    assert str(tmp_path) in run(
        bin_folder / "python", "-c", "from fer_edge.modelcard import models_dir; print(models_dir())",
        cwd=tmp_path,
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_a_subscriber_needs_two_packages(wheel, tmp_path):
    """As docs/programs.md says."""
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    bin_folder = tmp_path / "venv" / "bin"
    run(bin_folder / "pip", "install", "--quiet", "paho-mqtt", "pydantic", cwd=tmp_path)
    run(bin_folder / "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    program = "from fer_edge.client import subscribe; print(subscribe('mqtt://broker').connected)"
    assert run(bin_folder / "python", "-c", program, cwd=tmp_path) == "False\n"
    done = subprocess.run(
        [bin_folder / "fer-edge", "run"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == "fer-edge: typer is missing; pip install fer-edge\n"
