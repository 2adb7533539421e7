"""`benchmarks/widths`: the network at every α, beside the one whose speed on a Pi 4 is published."""

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_edge.affect.tflite import import_interpreter
from fer_edge.modelcard import find_card, models_dir, read_model
from measure import report

ALPHAS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.4)
ROUNDS = 40
REFERENCE = (1.0, 224, 3)
"""The network that is published for a Raspberry Pi 4: α, side, channels."""


def reference_model(alpha: float, side: int, channels: int) -> bytes:
    """int8 with random weights and ranges: they do not change its speed."""
    from fer_edge.training.export import to_tflite
    from fer_edge.training.network import fold, random_weights

    rng = np.random.default_rng(0)
    pictures = rng.uniform(-1, 1, (8, side, side, channels))
    weights = fold(random_weights(alpha, channels, rng))
    return to_tflite(weights, "int8", pictures.astype(np.float32))


def caller(content: bytes, side: int, channels: int) -> Callable[[], object]:
    """One call of the interpreter, on one thread."""
    run = import_interpreter()(model_content=content, num_threads=1).get_signature_runner()
    name = next(iter(run.get_input_details()))
    picture: NDArray[np.float32] = np.zeros((1, side, side, channels), np.float32)
    return lambda: run(**{name: picture})


def main() -> int:
    """Every width in turn with the reference model."""
    print(report.machine() + "\n")
    published = caller(reference_model(*REFERENCE), *REFERENCE[1:])
    rows = []
    for alpha in ALPHAS:
        card = find_card(models_dir(), alpha, "int8")
        shape = card.input.width, card.input.channels
        call = caller(read_model(card, models_dir()), *shape)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            for run, times in ((call, ours), (published, theirs)):
                begun = time.process_time_ns()
                run()
                times.append((time.process_time_ns() - begun) / 1e6)
        low, median, high = np.percentile(ours, [10, 50, 90])
        share = median / np.median(theirs)
        rows.append((f"{alpha:g}", f"{median:.2f} ({low:.2f}–{high:.2f})", f"{share:.3f}"))
    print(
        report.table(("α, 112×112×1, int8, one thread", "ms", "share of α 1.0 at 224×224×3"), rows)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
