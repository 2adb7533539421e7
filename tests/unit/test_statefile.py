import json

import pytest

from fer_edge.statefile import StateFile, state_path


def test_a_service_has_a_folder_of_its_own():
    path = state_path("kitchen", {"STATE_DIRECTORY": "/var/lib/fer-edge:/other"})
    assert str(path) == "/var/lib/fer-edge/state.json"


def test_elsewhere_each_device_has_one(tmp_path):
    path = state_path("kitchen", {"XDG_STATE_HOME": str(tmp_path)})
    assert path == tmp_path / "fer-edge" / "kitchen" / "state.json"
    relative = state_path("kitchen", {"XDG_STATE_HOME": "here", "HOME": "/home/me"})
    assert relative.is_absolute()


def test_what_is_kept_is_there_after_a_restart(tmp_path):
    path = tmp_path / "new" / "state.json"
    StateFile(path).put("settings", {"recognition": False})
    again = StateFile(path)
    assert again.get("settings") == {"recognition": False}
    assert again.get("other") is None
    again.put("settings", None)
    assert json.loads(path.read_text()) == {}
    assert [file.name for file in path.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"{" * 100_000])
def test_a_damaged_file_is_said_once_and_written_again(tmp_path, content, caplog):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    state = StateFile(path)
    assert "is damaged" in caplog.text
    assert state.get("settings") is None
    state.put("settings", 1)
    assert StateFile(path).get("settings") == 1
    assert len(caplog.records) == 1


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    state = StateFile(blocked / "state.json")
    for value in range(3):
        state.put("settings", value)
    assert state.get("settings") == 2
    (record,) = caplog.records
    assert str(blocked) in record.getMessage()
    assert blocked.read_bytes() == b""
