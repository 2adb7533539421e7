"""Takes a device out of Home Assistant, when its service does not run any more."""

import random
import time
from dataclasses import replace

from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.errors import SinkError
from fer_edge.sinks.mqtt.announce import availability, removal
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.home_assistant import discovery_topic
from fer_edge.sinks.mqtt.link import Announcements, Link

CONNECT_S = 10.0
"""How long the broker may take to accept."""

ANSWER_S = 5.0
"""How long it may take to acknowledge a message."""

POLL_S = 0.05


def remove_device(config: MqttConfig, device: str) -> str:
    """Make the broker forget the announcement and all that it keeps of the device; says what was done.

    Raises:
        ConfigError: the broker's settings cannot be used.
        SinkError: the broker cannot be reached.
    """
    broker = find_broker(config, device)
    # A second client of the same name would throw out a service that still runs.
    broker = replace(broker, client_id=f"{broker.client_id}-remove")
    prefix = config.prefix or f"fer-edge/{device}"
    offline = availability(prefix, b"offline")
    link = Link(
        broker,
        Announcements(will=offline, online=offline),
        retry=RetryConfig(),
        random=random.random,
        clock_ns=time.monotonic_ns,
    )
    link.start()
    try:
        deadline = time.monotonic() + CONNECT_S
        while (connection := link.connection) is None:
            link.check()
            if time.monotonic() > deadline:
                raise SinkError(f"{broker} cannot be reached; check mqtt.url, or try again later")
            time.sleep(POLL_S)
        topic = discovery_topic(device, config.discovery_prefix)
        for message in removal(topic, prefix):
            if not connection.send_last(message, ANSWER_S):
                raise SinkError(f"{broker} does not acknowledge; try again")
    finally:
        link.stop()
    return f"{device} is no longer announced at {broker} ({topic})"
