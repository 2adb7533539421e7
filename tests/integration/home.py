"""A real Home Assistant on loopback, from its own package, and what its users see of it."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from broker import Broker, free_port, wait_for
from websockets.sync.client import connect

ENVIRONMENT = Path(
    os.environ.get(
        "FER_EDGE_HOME_ASSISTANT", Path(__file__).parents[2] / ".tests" / "home-assistant"
    )
)
"""Where it is installed."""
START_S = 120
CLIENT = "http://127.0.0.1/"

CONFIGURATION = """\
homeassistant:
  name: Test
http:
  server_host: 127.0.0.1
  server_port: {port}
frontend:
config:
history:
logger:
  default: warning
automation: !include automations.yaml
"""


class HomeAssistant:
    """Runs from `start` to the end of the `with` block; keeps its data over a restart."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.folder = folder
        self._process = None
        self._token = None
        self.tokens = None
        (folder / "automations.yaml").write_text("[]")
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        """Every line that it has logged, of all runs."""
        return (self.folder / "output.log").read_text()

    def start(self):
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [ENVIRONMENT / "bin" / "hass", "--skip-pip", "-c", self.folder],
                env=environ | {"HOME": str(self.folder)},
                stdout=output,
                stderr=output,
            )
        wait_for(self._is_up, START_S)

    def stop(self, how=signal.SIGTERM):
        self._process.send_signal(how)
        self._process.wait(60)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def onboard(self):
        """Make a user, as the welcome page does."""
        user = {"client_id": CLIENT, "name": "Test", "username": "test", "password": "test"}
        code = self.call("onboarding/users", user | {"language": "en"})["auth_code"]
        fields = f"grant_type=authorization_code&code={code}&client_id={CLIENT}"
        self.tokens = self._request("/auth/token", fields.encode(), "form")
        self._token = self.tokens["access_token"]

    def add_broker(self, broker: Broker):
        """As in Settings, Devices & services, Add integration, MQTT."""
        flow = self.call("config/config_entries/flow", {"handler": "mqtt"})
        done = self.call(
            f"config/config_entries/flow/{flow['flow_id']}",
            {"broker": "127.0.0.1", "port": broker.port},
        )
        assert done["type"] == "create_entry", done

    def call(self, path, body=None):
        """One request to its REST interface."""
        data = None if body is None else json.dumps(body).encode()
        return self._request(f"/api/{path}", data, "json")

    def service(self, name, entity, **fields):
        """Call a service, as a button in the app does."""
        self.call(f"services/{name.replace('.', '/')}", {"entity_id": entity, **fields})

    def state(self, entity):
        """The present state; None while there is no such entity."""
        try:
            return self.call(f"states/{entity}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def ask(self, kind, **fields):
        """One question over its WebSocket."""
        with connect(f"ws://127.0.0.1:{self.port}/api/websocket", max_size=2**24) as socket:
            socket.recv()
            socket.send(json.dumps({"type": "auth", "access_token": self._token}))
            assert json.loads(socket.recv())["type"] == "auth_ok"
            socket.send(json.dumps({"id": 1, "type": kind, **fields}))
            answer = json.loads(socket.recv())
            assert answer["success"], answer
            return answer["result"]

    def _is_up(self):
        assert self._process.poll() is None, self.log
        try:
            with urllib.request.urlopen(f"{self.url}/manifest.json", timeout=5):
                pass
            return self._token is None or self.call("config")["state"] == "RUNNING"
        except (urllib.error.URLError, OSError):
            return False

    def _request(self, path, data, kind):
        content = {"json": "application/json", "form": "application/x-www-form-urlencoded"}[kind]
        request = urllib.request.Request(self.url + path, data, headers={"Content-Type": content})
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None
