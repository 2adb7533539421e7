"""From the configuration to a loaded model."""

from fer_edge.affect.tflite import Classifier
from fer_edge.config import ModelConfig
from fer_edge.modelcard import find_card, models_dir, read_model


def open_classifier(config: ModelConfig) -> Classifier:
    """The model that `config` names, checked against its card and loaded.

    One that did not come with fer-edge is tried in a process of its own first.

    Raises:
        ModelError: no such model, a file that is not what its card says or that the interpreter
            cannot run, or no interpreter.
    """
    directory = config.directory or models_dir()
    card = find_card(directory, config.alpha, config.precision)
    content = read_model(card, directory)
    if directory.resolve() != models_dir().resolve():
        from fer_edge.affect.trial import try_model

        try_model(card, content, threads=config.threads)
    return Classifier(card, content, threads=config.threads)
