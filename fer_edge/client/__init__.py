"""For programs that listen to fer-edge: typed messages from the broker, without camera or network.

    from fer_edge.client import subscribe

    for message in subscribe("mqtt://broker.local"):
        for face in message.faces:
            print(message.device, face.id, face.emotion, face.valence)

It needs paho-mqtt and pydantic, and nothing else of what the daemon needs.
"""

from fer_edge.client._subscription import Subscription, subscribe
from fer_edge.client.messages import Box, Emotion, EmotionOrUncertain, Face, Faces, Frame
from fer_edge.errors import BrokerRefusedError, ConfigError

__all__ = [
    "Box",
    "BrokerRefusedError",
    "ConfigError",
    "Emotion",
    "EmotionOrUncertain",
    "Face",
    "Faces",
    "Frame",
    "Subscription",
    "subscribe",
]
