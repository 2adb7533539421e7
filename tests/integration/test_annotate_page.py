"""Two people label twenty faces in a browser; the program is killed in the middle; nothing is lost."""

import csv
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager

import cv2
import pytest
from devtools import opened
from skimage import data as pictures

pytestmark = pytest.mark.timeout(300)
FACES = 20


@pytest.fixture
def folder(tmp_path):
    """The same portrait in twenty sizes."""
    portrait = cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2BGR)
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(FACES):
        side = 400 + 6 * number
        cv2.imwrite(str(made / f"{number:02}.png"), cv2.resize(portrait, (side, side)))
    return made


@contextmanager
def serving(folder, name):
    """`fer-edge annotate` as somebody starts it; its address."""
    command = [sys.executable, "-m", "fer_edge", "annotate", str(folder), "--annotator", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert f"{FACES} faces for {name}" in line
        yield re.search(r"http://\S+/", line)[0], process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def label(page, number, emotion):
    """By keys alone."""
    page.wait_for(f"!busy && at === {number}")
    for key in (str(emotion), "ArrowRight", "ArrowUp", "+", "Enter"):
        page.press(key)
    page.wait_for(f"!busy && at === {number + 1}")


def test_two_annotators_and_a_kill(folder, tmp_path):
    with ExitStack() as stack:
        anna, process = stack.enter_context(serving(folder, "anna"))
        ben, _ = stack.enter_context(serving(folder, "ben"))
        first = stack.enter_context(opened(tmp_path / "a", anna))
        second = stack.enter_context(opened(tmp_path / "b", ben))
        for number in range(FACES // 2):
            label(first, number, 2)
            label(second, number, 2 if number % 2 else 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        first.press("3")
        first.press("ArrowLeft")
        first.press("Enter")
        first.wait_for('document.body.innerText.includes("Not saved")')
        again, _ = stack.enter_context(serving(folder, "anna"))
        first.open(again)
        first.wait_for(f"!busy && at === {FACES // 2}")
        for number in range(FACES // 2, FACES):
            label(first, number, 2)
            label(second, number, 2)
        first.wait_for('document.body.innerText.includes("Every face has an answer")')
    out = tmp_path / "consensus.csv"
    command = [sys.executable, "-m", "fer_edge", "agreement", str(folder), "--out", str(out)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["annotators"] == {"anna": FACES, "ben": FACES}
    # The orders differ, but anna called everything happy, and ben called five faces neutral.
    assert report["pairs"]["accuracy"] == 0.75
    assert len(report["undecided"]) == FACES // 4
    with out.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == FACES
    assert {row["valence"] for row in rows} == {"0.05"}
    evaluate = [sys.executable, "-m", "fer_edge", "evaluate", "--dataset", str(out)]
    said = subprocess.run(evaluate, capture_output=True, text=True, check=True)
    assert "people" in said.stdout.lower()


def test_what_is_no_answer_and_who_is_no_friend(folder):
    with serving(folder, "anna") as (address, _):

        def post(body, **headers):
            request = urllib.request.Request(
                f"{address}answer", body, {"Content-Type": "application/json", **headers}
            )
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            caught.value.close()
            return caught.value.code

        placed = b'{"face": 1, "label": "happy", "valence": false, "arousal": 0}'
        unplaced = b'{"face": 1, "label": "happy"}'
        for body in (b"", b"{}", b'{"face": 1, "label": []}', unplaced, placed):
            assert post(body) == 400, body
        good = b'{"face": 1, "label": "skip"}'
        assert post(good, Origin="http://example.org") == 403
        assert post(good, Host="example.org") in {400, 403}
        state = json.load(urllib.request.urlopen(f"{address}state"))
        assert not any(face["answer"] for face in state["faces"])
