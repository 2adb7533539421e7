"""Whatever a card says: it is refused in one line, or the model gives finite answers with it."""

import json
import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings import ODD

from fer_edge.affect.tflite import Classifier
from fer_edge.affect.trial import check_readings, try_model
from fer_edge.errors import ModelError
from fer_edge.modelcard import find_card, load_card, models_dir, read_model

CARD = find_card(models_dir(), 0.25, "int8")
CONTENT = read_model(CARD, models_dir())
WHOLE = json.loads(CARD.model_dump_json())


def places(node, path=()):
    """Where the card holds something: every key and every item."""
    yield path
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


def changed(path, value):
    """The card with `value` at `path`."""
    if not path:
        return value
    card = json.loads(json.dumps(WHOLE))
    node = card
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return card


def check_line(error):
    assert "\n" not in str(error)


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.sampled_from([1e-9, 1e-300, 1e300, -1.0, 0.0, 2.0, 0.5]),
        st.text(max_size=20),
        st.sampled_from(ODD),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "250")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.sampled_from(list(places(WHOLE))), value=json_values)
def test_any_value_in_a_card(tmp_path, path, value):
    file = tmp_path / "card.json"
    file.write_text(json.dumps(changed(path, value)), encoding="utf-8")
    try:
        card = load_card(file)
        (tmp_path / card.file).write_bytes(CONTENT)
        check_readings(Classifier(card, read_model(card, tmp_path)))
    except ModelError as error:
        check_line(error)


@settings(max_examples=100, deadline=None, database=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_as_a_card(content, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "bytes.json"
    file.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_card(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e-9, 1e9, 0.0])
def test_a_temperature_out_of_bounds(tmp_path, value):
    file = tmp_path / "card.json"
    file.write_text(json.dumps(WHOLE | {"temperature": value}))
    with pytest.raises(ModelError, match="temperature"):
        load_card(file)


@settings(max_examples=8, deadline=None, database=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([1, 10, 100]))
def test_an_altered_model_leaves_this_process_alive(seed, count):
    """Each is tried in a process of its own, so eight are as many as time allows."""
    random = np.random.default_rng(seed)
    altered = np.frombuffer(CONTENT, np.uint8).copy()
    altered[random.integers(0, altered.size, count)] = random.integers(0, 256, count)
    try:
        try_model(CARD, altered.tobytes())
    except ModelError as error:
        check_line(error)
