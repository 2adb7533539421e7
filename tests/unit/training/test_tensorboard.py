import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # TensorFlow, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

from fer_edge.training.tensorboard import EventFile  # noqa: E402  needs what is checked above


def test_tensorflow_reads_what_was_written(tmp_path) -> None:
    import tensorflow as tf

    events = EventFile(tmp_path / "new")
    events.write(0, {"loss": 2.5, "accuracy": 0.25})
    events.write(300, {"loss": 1.5})
    (path,) = (tmp_path / "new").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    # Its record reader checks the sums.
    read = [
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert read[0].file_version == "brain.Event:2"
    said = [
        (event.step, value.tag, value.simple_value)
        for event in read[1:]
        for value in event.summary.value
    ]
    assert said == [(0, "loss", 2.5), (0, "accuracy", 0.25), (300, "loss", 1.5)]
    assert 0 <= read[2].wall_time - read[0].wall_time < 60
