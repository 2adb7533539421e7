"""A model adapted to your own faces: ``python -m fer_edge.training.finetune``.

Learns the heads of a model file anew from a few hundred labelled faces, in minutes on a laptop, without
TensorFlow or a graphics card.  A part of the faces is held out; what was gained is measured there, on
the file itself, before and after.  Where the set is too small, or the gain may be chance, nothing is
written unless ``--force`` is given.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import math
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError, FerEdgeError, SinkError
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.evaluation.measure import figures_of
from fer_edge.evaluation.runner import classify
from fer_edge.evaluation.tables import markdown_table
from fer_edge.modelcard import (
    Adaptation,
    DataSource,
    ModelCard,
    Precision,
    find_card,
    models_dir,
    read_model,
)
from fer_edge.training.adapt import Adapted, Faces, adapt
from fer_edge.training.gains import Gain, gains
from fer_edge.training.heads import features_of, read_heads, with_heads

log = logging.getLogger(__name__)

LEAST_FACES: Final = 100
"""With fewer than that, whatever is measured says too little."""
LEAST_PARTS: Final = 10
"""Persons or files, likewise: the held-out part must be of several."""

Parts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Result:
    """An adapted model and what it brings."""

    card: ModelCard
    content: bytes
    gains: list[Gain]
    against: str
    """Why it should not be used; empty if nothing speaks against it."""


def parts_of(samples: Samples) -> Parts:
    """The person of each face as a number, ``[N]``; where persons are not named, its file."""
    names = samples.names if samples.persons is None else samples.persons
    numbers: Parts = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return numbers


def held_out_rows(parts: Parts, share: float, seed: int) -> NDArray[np.bool_]:
    """Which faces are held out, ``[N]``: whole parts in an order by seed, until the share is reached."""
    chosen = np.zeros(len(parts), bool)
    for part in np.random.default_rng(seed).permutation(np.unique(parts)):
        if chosen.sum() >= share * len(parts):
            break
        chosen |= parts == part
    return chosen


def digest_of(samples: Samples) -> str:
    """SHA-256 of the faces' pixels and labels, in their order."""
    digest = hashlib.sha256()
    for picture in samples.pictures:
        digest.update(f"{picture.shape}".encode())
        digest.update(np.ascontiguousarray(picture).tobytes())
    for array in (samples.soft_labels, samples.labels, samples.valence_arousal):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def finetune(
    card: ModelCard, content: bytes, samples: Samples, *, share: float, seed: int, command: str
) -> Result:
    """Adapt a model to ``samples`` less the ``share`` that is held out.

    Raises:
        ModelError: the model has no heads as ``…convert`` makes them.
        ConfigError: there are too few faces to split.
    """
    parts = parts_of(samples)
    held = held_out_rows(parts, share, seed)
    if not held.any() or len(np.unique(parts[~held])) < 2:
        raise ConfigError(
            f"data set: {len(samples)} faces of {len(np.unique(parts))} persons or files; too few to "
            "hold some out: label more"
        )
    learnt, judged = samples[~held], samples[held]
    features = features_of(card, content, learnt.pictures)
    faces = Faces(features, learnt.soft_labels, learnt.labels, learnt.valence_arousal, parts[~held])
    adapted = adapt(read_heads(card, content), faces, temperature=card.temperature, seed=seed)
    changed = with_heads(card, content, adapted.heads)
    draft = card.model_copy(update={"temperature": adapted.temperature})
    before = classify(card, content, judged.pictures)
    after = classify(draft, changed, judged.pictures)
    origin = replace(
        judged.origin, split=f"{len(judged)} of {len(samples)} faces, held out by seed {seed}"
    )
    metrics = figures_of(replace(judged, origin=origin), after)
    found = gains(judged, parts[held], before, after)
    stated = _adaptation(card, samples, (len(learnt), len(judged)), adapted, found)
    whole = _card(draft, changed, stated, samples, command).model_copy(update={"metrics": metrics})
    return Result(whole, changed, found, _objection(len(samples), len(np.unique(parts)), found))


def _objection(faces: int, parts: int, found: list[Gain]) -> str:
    if faces < LEAST_FACES or parts < LEAST_PARTS:
        return (
            f"{faces} faces of {parts} persons or files are too few to say; label at least "
            f"{LEAST_FACES} of {LEAST_PARTS}"
        )
    worse = [one.name for one in found if one.is_loss]
    if worse:
        return f"{', '.join(worse)}: worse than before on the held-out part"
    better = [one for one in found if one.sure and one.name != "log loss"]
    return "" if better else "the gain may be chance: its interval on the held-out part includes 0"


def _adaptation(
    card: ModelCard,
    samples: Samples,
    counts: tuple[int, int],
    adapted: Adapted,
    found: list[Gain],
) -> Adaptation:
    return Adaptation(
        model=card.name,
        model_sha256=card.sha256,
        dataset=samples.origin.dataset,
        dataset_sha256=digest_of(samples),
        faces=counts[0],
        held_out=counts[1],
        by="file" if samples.persons is None else "person",
        strengths={k: v for k, v in adapted.strengths.items() if math.isfinite(v)},
        gains={one.name: (round(one.gain, 4), *_rounded(one.interval)) for one in found},
    )


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)


def _new_name(card: ModelCard) -> str:
    return f"{card.name.removesuffix('_adapted')}_adapted"


def _card(
    draft: ModelCard, content: bytes, stated: Adaptation, samples: Samples, command: str
) -> ModelCard:
    name = _new_name(draft)
    own = samples.origin.data or (
        DataSource(name=samples.origin.dataset, licence="not stated", use="heads"),
    )
    known = {source.name for source in draft.provenance.data}
    provenance = draft.provenance.model_copy(
        update={
            "data": (*draft.provenance.data, *(s for s in own if s.name not in known)),
            "conversion_command": command,
            "date": datetime.now(UTC).date().isoformat(),
            # The old file's figures and operating point are not this one's.
            "validation": {},
            "logit_bias": (),
            "adaptation": stated,
        }
    )
    return draft.model_copy(
        update={
            "name": name,
            "file": f"{name}.tflite",
            "sha256": hashlib.sha256(content).hexdigest(),
            "provenance": provenance,
        }
    )


def check_folder(folder: Path, card: ModelCard) -> None:
    """That no other model of the same width and precision is in the folder.

    Raises:
        ConfigError: there is one, which would be taken or not by chance.
    """
    for path in folder.glob(f"mobilenet_v1_{card.alpha:g}_*_{card.precision}*.json"):
        if path.stem != _new_name(card):
            raise ConfigError(f"--out {folder}: {path.name} is there too; name a folder of its own")


def write(result: Result, folder: Path) -> None:
    """Write the file and its card into ``folder``, which ``[model] directory`` takes.

    Raises:
        SinkError: the folder cannot be written.
    """
    card = result.card
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / card.file).write_bytes(result.content)
        (folder / f"{card.name}.json").write_text(card.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise SinkError(f"--out {folder}: {error.strerror}; choose another folder") from error


def table(found: list[Gain]) -> str:
    """Before, after, and the gain with its interval, as Markdown."""
    rows = [
        [
            *(gain.name, f"{gain.before:.3f}", f"{gain.after:.3f}", f"{gain.gain:+.3f}"),
            f"{gain.interval[0]:+.3f} to {gain.interval[1]:+.3f}",
        ]
        for gain in found
    ]
    return markdown_table(["held out", "before", "after", "gain", "95 %"], rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.finetune")
    parser.add_argument("--dataset", required=True, help="KIND:PATH, as `fer-edge evaluate` takes")
    parser.add_argument("--split", default="all", help="of the data set; default: all of a folder")
    parser.add_argument("--models", type=Path, default=models_dir(), help="folder of the model")
    parser.add_argument("--alpha", type=float, default=0.25, help="its width")
    parser.add_argument("--precision", choices=get_args(Precision), default="int8")
    parser.add_argument("--held-out", type=_share, default=0.3, help="share of the faces")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--out", type=Path, required=True, help="folder for the new model")
    parser.add_argument("--force", action="store_true", help="write it whatever was measured")
    return parser


def _share(word: str) -> float:
    share = float(word)
    if not 0.1 <= share <= 0.9:
        raise argparse.ArgumentTypeError(f"{word}: choose 0.1 to 0.9")
    return share


def _command(args: argparse.Namespace) -> str:
    kind, _, path = args.dataset.partition(":")
    options = f"--alpha {args.alpha:g} --precision {args.precision} --held-out {args.held_out:g}"
    source = f"--dataset {kind}:{Path(path).resolve().name} --split {args.split}"
    return f"python -m fer_edge.training.finetune {source} {options} --seed {args.seed}"


def main() -> None:
    """Read the command line, adapt, print what it brings, and write if it brings something."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = _parser().parse_args()
    try:
        card = find_card(args.models, args.alpha, args.precision)
        check_folder(args.out, card)
        samples = load(args.dataset, args.split)
        result = finetune(
            card,
            read_model(card, args.models),
            samples,
            share=args.held_out,
            seed=args.seed,
            command=_command(args),
        )
        sys.stdout.write(f"{table(result.gains)}\n")
        if result.against and not args.force:
            raise SystemExit(f"{result.against}; nothing written (--force writes all the same)")
        if result.against:
            log.warning("%s; written all the same", result.against)
        write(result, args.out)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    log.info("%s: `[model] directory` takes this folder", args.out)


if __name__ == "__main__":
    main()
