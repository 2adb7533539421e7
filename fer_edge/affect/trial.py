"""Tries a model in a process of its own: a damaged one can end the whole process of the interpreter.

A hash finds damage on the way, not a file that was already wrong when its card was written. The trial
costs one start of Python (`python -m fer_edge.affect.trial`), and so it is left out for the models
that come with fer-edge.
"""

import contextlib
import os
import signal
import subprocess
import sys
from typing import Final

import numpy as np

from fer_edge.affect.tflite import Classifier
from fer_edge.errors import ModelError
from fer_edge.modelcard import ModelCard
from fer_edge.types import Affect

TIMEOUT_S: Final = 60.0
"""Longest trial: on a Raspberry Pi the widest model takes a few seconds, most of it the start."""

REMEDY: Final = "restore the file, or name another folder in model.directory"


def try_model(card: ModelCard, content: bytes, *, threads: int = 1) -> None:
    """Read a few pictures with the model, in a child process.

    Raises:
        ModelError: the interpreter refuses the model, crashes or hangs on it, or it answers nonsense.
    """
    command = [sys.executable, "-m", "fer_edge.affect.trial", card.model_dump_json(), str(threads)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=content, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{card.file}: the interpreter hung on it for {TIMEOUT_S:g} s; {REMEDY}"
        ) from None
    except OSError as error:
        raise ModelError(f"{card.file}: cannot be tried: {error.strerror}") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelError(f"{card.file}: it crashes the interpreter ({name}); {REMEDY}")
    if done.returncode == ModelError.exit_code:
        raise ModelError(done.stdout.decode(errors="replace").strip())
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        raise ModelError(f"{card.file}: cannot be tried: {last}; {REMEDY}")


def check_readings(classifier: Classifier) -> None:
    """Read black, white, noise and a gradient.

    Raises:
        ModelError: an answer is no distribution, or valence or arousal is out of range.
    """
    size = (classifier.card.input.height, classifier.card.input.width)
    noise = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, size[1]).astype(np.uint8), size).copy()
    pictures = [np.zeros(size, np.uint8), np.full(size, 255, np.uint8), noise, ramp]
    for affect in classifier(pictures):
        if not _sensible(affect):
            raise ModelError(
                f"{classifier.card.file}: gives no probabilities, or valence and arousal outside "
                f"-1 to 1; {REMEDY}"
            )


def _sensible(affect: Affect) -> bool:
    whole = abs(float(affect.probabilities.sum()) - 1) < 1e-3
    return (
        bool(np.isfinite(affect.probabilities).all() and (affect.probabilities >= 0).all())
        and whole
        and all(abs(value) <= 1.001 for value in (affect.valence, affect.arousal))
    )


def main() -> None:
    """The child: the card and the number of threads as arguments, the model on standard input."""
    from resource import RLIMIT_CORE, setrlimit

    with contextlib.suppress(
        OSError, ValueError
    ):  # a service may not, and has no core dumps anyway
        setrlimit(RLIMIT_CORE, (0, 0))
    card = ModelCard.model_validate_json(sys.argv[1])
    try:
        check_readings(Classifier(card, sys.stdin.buffer.read(), threads=int(sys.argv[2])))
    except ModelError as error:
        sys.stdout.write(" ".join(str(error).split()))
        sys.stdout.flush()
        os._exit(ModelError.exit_code)
    os._exit(0)  # without the interpreter's own end, which may crash after all went well


if __name__ == "__main__":
    main()
