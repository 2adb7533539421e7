"""What a model file needs to be used and judged, kept beside it as JSON.

A card ``NAME.json`` lies beside ``NAME.tflite``: how pictures become the network's input, what comes
out, how good the model is, and where it comes from.
"""

import hashlib
import math
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fer_edge.errors import ModelError
from fer_edge.types import EMOTIONS, Emotion

Precision = Literal["float32", "int8"]

GOLDEN = "golden.json"
"""The one JSON file beside the models that is not a card: the least figures a model may have."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InputSpec(_Frozen):
    """How a face in a picture becomes the network's input."""

    height: int = Field(gt=0, le=1024)
    """Rows, pixels."""
    width: int = Field(gt=0, le=1024)
    """Columns, pixels."""
    channels: Literal[1, 3]
    """1 is luma; 3 is luma repeated."""
    scale: float = Field(ge=1e-6, le=100)
    """The network sees ``pixel * scale + offset``, pixel from 0 to 255."""
    offset: float = Field(ge=-25500, le=25500)
    """See ``scale``."""
    mean: float | None = Field(default=None, ge=0, le=255)
    """Grey level that the mean of every crop is brought to; None leaves crops as they are."""
    deviation: float | None = Field(default=None, ge=0.1, le=128)
    """Standard deviation likewise; goes with ``mean``."""
    margin: float = Field(gt=-0.5, lt=2)
    """Share of a Viola-Jones box to add on each side before cropping; negative cuts tighter."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.mean is None) != (self.deviation is None):
            raise ValueError("mean and deviation: state both, or neither")
        return self


class OutputSpec(_Frozen):
    """Names of the outputs in the file's default signature."""

    emotion: str
    """Probabilities, ``[N, 8]``, in the order of ``labels``."""
    valence_arousal: str
    """Valence and arousal, ``[N, 2]``, each in [-1, 1]."""


class AxisFigures(_Frozen):
    """How well valence, or arousal, is told."""

    rmse: float
    """Root of the mean squared error."""
    normalised_rmse: float
    """Mean RMSE over those of 71 x 71 regions of the true plane that hold samples."""
    sagr: float
    """Share of predictions with the right sign."""
    ccc: float
    """Lin's concordance correlation coefficient."""


class Metrics(_Frozen):
    """Figures of the TFLite file itself, on pictures it was not trained on."""

    dataset: str
    """Which pictures."""
    split: str
    """Which part of them, and what was left out."""
    samples: int = Field(gt=0)
    """Number of pictures."""
    label_source: str
    """Who said what is right."""
    valence_arousal_source: str
    """What the true valence and arousal rest on."""
    accuracy: float
    """Share that is right."""
    normalised_accuracy: float
    """Mean accuracy over 200 draws with the same number of every class."""
    macro_f1: float
    """Mean F1 over classes."""
    normalised_f1: float
    """Mean macro F1 over the same 200 draws."""
    sensitivity: dict[Emotion, float]
    """Share of each class that was found; without those that do not occur."""
    valence: AxisFigures | None
    """Valence; None where nobody knows the true one."""
    arousal: AxisFigures | None
    """Arousal; likewise."""
    calibration_error: float
    """Expected calibration error in 15 bins, after ``temperature``."""
    intervals: dict[str, tuple[float, float]]
    """95 % bootstrap intervals (1,000 draws) of the figures, by name: ``macro_f1``, ``valence.ccc``."""


class DataSource(_Frozen):
    """Something the weights were made from."""

    name: str
    """What it is."""
    licence: str
    """Under which terms it is published."""
    use: str
    """What it was used for."""


class Adaptation(_Frozen):
    """How the heads of another model were fitted to somebody's own faces (``training.finetune``)."""

    model: str
    """Name of the model that was adapted."""
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of its file."""
    dataset: str
    """Which faces."""
    dataset_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of their pixels and labels."""
    faces: int = Field(gt=0)
    """Learned from."""
    held_out: int = Field(gt=0)
    """Held out, from which the figures are."""
    by: Literal["person", "file"]
    """What was never in both parts."""
    strengths: dict[str, float]
    """How strongly each head was held to the old one; a head that is not named is the old one."""
    gains: dict[str, tuple[float, float, float]]
    """What it brought on the held-out part, and the ends of its 95 % interval, by figure."""


class Provenance(_Frozen):
    """Where the weights come from."""

    data: tuple[DataSource, ...]
    """Pictures, labels and weights that went in."""
    training_command: str
    """Made the weights."""
    conversion_command: str
    """Made the file."""
    teacher: str
    """Network whose opinion is in the labels; empty if none."""
    logit_bias: tuple[float, ...] = ()
    """The operating point: added to the emotions' logits after training; empty for nothing."""
    date: str
    """Day of the conversion, ISO 8601."""
    validation: dict[str, float]
    """Figures on the validation split, by which this model was chosen."""
    adaptation: Adaptation | None = None
    """None unless the heads were fitted to somebody's own faces."""


class ModelCard(_Frozen):
    """Everything about one model file."""

    name: str
    """Without suffix; unique."""
    file: str
    """Name of the model file, beside the card."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the model file."""
    size_bytes: int = Field(gt=0, le=2**30)
    """Of the model file."""
    alpha: float = Field(gt=0, le=16)
    """Width multiplier of MobileNetV1."""
    precision: Precision
    """What the network computes in; its inputs and outputs are float32 in both."""
    parameters: int = Field(gt=0)
    """Of the Keras network, batch statistics included, at this input size."""
    labels: tuple[Emotion, ...]
    """Order of the classes."""
    input: InputSpec
    """From picture to tensor."""
    outputs: OutputSpec
    """Signature names."""
    quantisation: str
    """How weights and activations are stored, for people."""
    temperature: float = Field(default=1.0, ge=0.05, le=20)
    """Calibration (Guo et al. 2017), fitted on validation; not in the file: who runs the network
    raises its probabilities to the power 1 / temperature and normalises them."""
    averaged_temperature: float = Field(default=1.0, ge=0.05, le=20)
    """The same once more, for the mean of a calibrated reading and that of the mirror image."""
    metrics: Metrics
    """How good it is."""
    provenance: Provenance
    """Where it comes from."""

    @field_validator("labels")
    @classmethod
    def _all_labels(cls, labels: tuple[Emotion, ...]) -> tuple[Emotion, ...]:
        if labels != EMOTIONS:
            raise ValueError(f"must be {', '.join(EMOTIONS)}, in this order")
        return labels

    @field_validator("file")
    @classmethod
    def _bare_name(cls, file: str) -> str:
        if Path(file).name != file:
            raise ValueError("must be a file name without folders")
        if not file.isprintable():
            raise ValueError("must be printable")
        return file


def load_card(path: Path) -> ModelCard:
    """Read one card.

    Raises:
        ModelError: the file is missing, not JSON, or a field is missing, unknown or wrong.
    """
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
        raise ModelError(f"{path}: {why}; reinstall fer-edge or name another model") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        why = f"{field}: {first['msg'].splitlines()[0]}"
        raise ModelError(f"{path}: {why}; restore the card that came with the model") from error


def list_cards(directory: Path) -> list[ModelCard]:
    """All cards of a folder, narrowest network first, float32 before int8.

    Raises:
        ModelError: the folder is missing or holds no card, or a card cannot be read.
    """
    paths = sorted(path for path in directory.glob("*.json") if path.name != GOLDEN)
    if not paths:
        raise ModelError(f"{directory}: no model cards (*.json) there; reinstall fer-edge")
    return sorted((load_card(path) for path in paths), key=lambda c: (c.alpha, c.precision))


def find_card(directory: Path, alpha: float, precision: str) -> ModelCard:
    """The card of one width and precision.

    Raises:
        ModelError: there is none (the message names those that exist), or cards cannot be read.
    """
    cards = list_cards(directory)
    for card in cards:
        if math.isclose(card.alpha, alpha, abs_tol=1e-6) and card.precision == precision:
            return card
    present: dict[str, list[str]] = {}
    for card in cards:
        present.setdefault(f"{card.alpha:g}", []).append(card.precision)
    choice = ", ".join(f"{width} ({' and '.join(kinds)})" for width, kinds in present.items())
    raise ModelError(
        f"{directory}: no model with alpha {alpha:g} and precision {precision}; choose alpha {choice}"
    )


def read_model(card: ModelCard, directory: Path) -> bytes:
    """The model file's bytes, only if they are the ones the card describes.

    Interpreters crash on damaged files, so nothing else may hand them one.

    Raises:
        ModelError: the file is missing, truncated or changed.
    """
    path = directory / card.file
    remedy = "reinstall fer-edge or restore the file that belongs to the card"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}; {remedy}") from error
    if len(content) != card.size_bytes:
        raise ModelError(
            f"{path}: size_bytes: {len(content)} bytes, its card says {card.size_bytes}; {remedy}"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.sha256:
        raise ModelError(
            f"{path}: sha256: {digest[:12]}…, its card says {card.sha256[:12]}…; {remedy}"
        )
    return content


def models_dir() -> Path:
    """Where the models are: ``models/`` of a checkout, else those inside the installed package."""
    package = Path(__file__).parent
    checkout = package.parent
    # `models` alone could be somebody else's folder in site-packages.
    if (checkout / "pyproject.toml").is_file() and (checkout / "models").is_dir():
        return checkout / "models"
    return package / "_models"
