import re

import pytest

from fer_edge.config import Config, known_keys, load, mask_url, parse_source, read_password, render
from fer_edge.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def make(text):
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return make


def complaint(path=None, *, environ=None, overrides=None):
    with pytest.raises(ConfigError) as caught:
        load(path, environ=environ or {}, overrides=overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 78
    return message


def test_defaults():
    config = load(environ={})
    assert config.source.type == "auto"
    assert config.model.alpha == 0.25
    assert re.fullmatch(r"[A-Za-z0-9_-]+", config.device)


def test_layers_in_rising_order(write):
    path = write('device = "file"\n[model]\nalpha = 0.5\nthreads = 2\nprecision = "float32"\n')
    environ = {"FER_EDGE__MODEL__THREADS": "3", "FER_EDGE__MODEL__ALPHA": "0.75"}
    config = load(path, environ=environ, overrides={"model": {"alpha": 1.0}})
    assert (config.device, config.model.precision) == ("file", "float32")
    assert config.model.threads == 3
    assert config.model.alpha == 1.0


def test_another_type_replaces_the_whole_section(write):
    path = write('[source]\ntype = "v4l2"\ndevice = "/dev/video7"\n')
    config = load(path, environ={}, overrides={"source": {"type": "demo"}})
    assert config.source.type == "demo"


def test_the_environment_does_not_come_back_after_another_type_replaced_it(monkeypatch):
    monkeypatch.setenv("FER_EDGE__SOURCE__TYPE", "stream")
    monkeypatch.setenv("FER_EDGE__SOURCE__URL", "http://camera/")
    assert load(overrides={"source": {"type": "demo"}}).source.type == "demo"


def test_the_same_type_keeps_what_the_file_says(write):
    path = write('[source]\ntype = "demo"\nfaces = 3\n')
    config = load(path, environ={}, overrides={"source": {"type": "demo", "fps": 5}})
    assert (config.source.faces, config.source.fps) == (3, 5)


def test_unknown_key_names_file_key_and_the_nearest(write):
    path = write('[mqtt]\nusrname = "x"\n')
    assert complaint(path) == f"{path}: mqtt.usrname: unknown key; did you mean username?"


def test_unknown_section_and_a_key_like_nothing(write):
    assert "did you mean model?" in complaint(write("[modle]\nalpha = 1\n"))
    assert "known are fps, path" not in complaint(write("[log]\nzzz = 1\n"))
    assert complaint(write("[log]\nzzz = 1\n")).endswith("known are level")


def test_unknown_key_of_one_kind_of_source(write):
    path = write('[source]\ntype = "v4l2"\nwidht = 640\n')
    assert complaint(path) == f"{path}: source.widht: unknown key; did you mean width?"


def test_unknown_variable_is_refused_by_its_name():
    message = complaint(environ={"FER_EDGE__MODEL__ALPHAA": "1"})
    assert message == "environment: FER_EDGE__MODEL__ALPHAA: unknown key; did you mean alpha?"


@pytest.mark.parametrize("name", ["FER_EDGE_MODEL_ALPHA", "FER_EDGE_MODEL__ALPHA"])
def test_a_single_underscore_is_refused_and_not_passed_over(name):
    message = complaint(environ={name: "1"})
    assert message == f"environment: {name}: write it as FER_EDGE__MODEL__ALPHA"


def test_variables_of_others_are_left_alone():
    load(environ={"FER_EDGE_DATA": "/srv", "FER_EDGE": "1", "FER_EDGES_MODEL_ALPHA": "1"})


def test_a_key_of_another_type_of_source_lists_those_of_this_one():
    message = complaint(overrides={"source": {"type": "images", "path": "/p", "url": "http://h/"}})
    assert message == (
        "command line: source.url: unknown key; known for type images are fast, fps, path, type"
    )


def test_wrong_value_names_its_origin():
    assert complaint(environ={"FER_EDGE__MODEL__ALPHA": "wide"}).startswith(
        "environment: FER_EDGE__MODEL__ALPHA = 'wide': "
    )
    assert complaint(overrides={"output": {"stdout": "xml"}}).startswith(
        "command line: output.stdout = 'xml': "
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[source]\ntype = "file"\n', "source.path is missing"),
        ('[source]\ntype = "camera"\n', "'picamera2'"),
        ("[tracking]\nconfirm_hits = 9\n", "confirm_hits is larger than confirm_window"),
        ('[mqtt]\nurl = "localhost"\n', "mqtt://host:1883"),
        ('[mqtt]\nurl = "mqtt://host:port"\n', "mqtt.url"),
        ('[mqtt]\nprefix = "a/#"\n', "mqtt.prefix"),
        ('[mqtt]\ncert_file = "x.pem"\n', "key_file"),
        ('[source]\ntype = "stream"\nurl = "ftp://host"\n', "rtsp://"),
        ("[model]\nalpha = 0\n", "model.alpha"),
        ('device = "a/b"\n', "only letters, digits"),
        (f'device = "{"a" * 70000}"\n', "at most 100 characters"),
        ("mqtt = 3\n", "mqtt: is a section; set one of its fields: "),
        ('source = "demo"\n', "source: is a section; set one of its fields: "),
        ("[source]\nfps = 5\n", "source.type is missing; use one of auto, "),
        ('[mqtt]\nprefix = "$SYS/a"\n', "mqtt.prefix"),
        ('[mqtt]\ndiscovery_prefix = "a/+"\n', "mqtt.discovery_prefix"),
        ('[mqtt]\nclient_id = "a\\u0001"\n', "printable"),
        ('[mqtt]\nusername = "' + "ä" * 600 + '"\n', "at most 1000 bytes"),
        ('[mqtt]\nurl = "mqtt://host:0"\n', "port 0"),
        ('[source]\ntype = "stream"\nurl = "http://host:99999"\n', "Port out of range"),
    ],
)
def test_what_is_wrong_is_named(write, text, expected):
    path = write(text)
    message = complaint(path)
    assert message.startswith(str(path))
    assert expected in message


def test_not_toml(write):
    path = write("[mqtt\n")
    assert complaint(path).startswith(f"{path}: not TOML: ")


def test_no_such_file(tmp_path):
    path = tmp_path / "none.toml"
    assert complaint(path) == f"{path}: cannot read it: No such file or directory; check --config"


@pytest.mark.parametrize(
    "text",
    [
        '[mqtt]\nurl = "mqtt://me:hunter2@host"\n',
        '[source]\ntype = "stream"\nurl = "rtsp://me:hunter2@host/1"\n',
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(write, text):
    message = complaint(write(text))
    assert "password_file" in message
    assert "hunter2" not in message


def test_password_from_file_credentials_or_nowhere(tmp_path, monkeypatch):
    (tmp_path / "mqtt-password").write_text("from systemd\n")
    mine = tmp_path / "mine"
    mine.write_text("from a file\nsecond line\n")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert read_password("mqtt.password_file", None, "mqtt-password") is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_password("mqtt.password_file", None, "mqtt-password") == "from systemd"
    assert read_password("mqtt.password_file", mine, "mqtt-password") == "from a file"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_password_file_that_holds_none(tmp_path, content):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mqtt\.password_file: .*password"):
        read_password("mqtt.password_file", path, "x")


def test_rendered_configuration_loads_again(write):
    config = load(
        environ={},
        overrides={
            "source": {"type": "demo", "faces": 2},
            "mqtt": {"url": "mqtts://host", "password_file": "/run/secret"},
        },
    )
    assert load(write(render(config)), environ={}) == config


def test_rendered_addresses_hide_what_may_be_secret():
    assert mask_url("rtsp://me:hunter2@host:554/x?token=abc&n=1") == (
        "rtsp://me:***@host:554/x?token=***&n=***"
    )


def test_every_field_says_what_it_means():
    undocumented = [
        f"{section.__name__}.{name}"
        for section in _sections(Config)
        for name, field in section.model_fields.items()
        if not field.description and name != "type"
    ]
    assert undocumented == []


def _sections(model):
    from fer_edge.config._describe import sections_in

    yield model
    for field in model.model_fields.values():
        yield from sections_in(field.annotation)


def test_known_keys_of_a_union_are_those_of_any_member():
    assert {"device", "url", "faces", "type"} <= set(known_keys(("source",)))
    assert "mqtt" in known_keys(())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo", {"type": "demo"}),
        ("auto", {"type": "auto"}),
        ("picamera2", {"type": "picamera2", "camera": 0}),
        ("picamera2:1", {"type": "picamera2", "camera": 1}),
        ("/dev/video2", {"type": "v4l2", "device": "/dev/video2"}),
        ("/dev/v4l/by-id/usb-cam", {"type": "v4l2", "device": "/dev/v4l/by-id/usb-cam"}),
        ("http://cam/stream", {"type": "stream", "url": "http://cam/stream"}),
        ("rtsp://cam/1", {"type": "stream", "url": "rtsp://cam/1"}),
    ],
)
def test_what_can_stand_after_source(text, expected):
    assert parse_source(text) == expected


def test_source_files_and_folders(tmp_path):
    video = tmp_path / "a.mp4"
    video.touch()
    assert parse_source(str(video)) == {"type": "file", "path": str(video)}
    assert parse_source(str(tmp_path)) == {"type": "images", "path": str(tmp_path)}


@pytest.mark.parametrize("name", ["none.mp4", "", "long" * 1000, "nul\0"])
def test_a_source_that_is_not_there(name):
    with pytest.raises(ConfigError, match="no such file or folder; give one of: demo, "):
        parse_source(name)
