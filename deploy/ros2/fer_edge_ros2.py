#!/usr/bin/env python3
"""Faces that fer-edge sees, as ROS 2 messages below /humans/faces (REP 155, ROS4HRI).

    pip install paho-mqtt pydantic && pip install --no-deps fer-edge
    sudo apt install ros-$ROS_DISTRO-hri-msgs
    python3 fer_edge_ros2.py --ros-args -p url:=mqtt://broker.local -p device:=livingroom

| topic | message |
|---|---|
| /humans/faces/tracked | hri_msgs/msg/IdsList: the faces in view |
| /humans/faces/ID/roi | hri_msgs/msg/NormalizedRegionOfInterest2D: where the face is |
| /humans/faces/ID/expression | hri_msgs/msg/Expression |

`expression` is always one of the words that its definition lists, the most probable of them, and
`confidence` is the probability of that word. There is none for contempt: a contemptuous face is sent
as the most probable of the other seven, with its low probability, and with valence and arousal as
they are. The same goes for a face whose emotion is uncertain.

Parameters: url, device, username, password_file, ca_file, frame_id (of the camera).
"""

import re
from pathlib import Path

import rclpy
from builtin_interfaces.msg import Time
from hri_msgs.msg import Expression, IdsList, NormalizedRegionOfInterest2D
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

from fer_edge.client import Face, Faces, Subscription, subscribe

WORDS = {
    "neutral": Expression.NEUTRAL,
    "happy": Expression.HAPPY,
    "sad": Expression.SAD,
    "surprise": Expression.SURPRISED,
    "fear": Expression.SCARED,
    "disgust": Expression.DISGUSTED,
    "anger": Expression.ANGRY,
}

POLL_S = 0.2

# Who comes later gets the last message; works with subscribers that ask for that and with others.
QOS = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def expression(face: Face, header: Header) -> Expression:
    """The most probable of the expressions that ROS knows."""
    emotion = max(WORDS, key=lambda name: face.probabilities[name])
    message = Expression()
    message.header = header
    message.expression = WORDS[emotion]
    message.valence = face.valence
    message.arousal = face.arousal
    message.confidence = face.probabilities[emotion]
    return message


def region(face: Face, message: Faces, header: Header) -> NormalizedRegionOfInterest2D:
    """The face's box as shares of the picture, cut off at its edge."""
    width, height, box = message.frame.width, message.frame.height, face.box
    roi = NormalizedRegionOfInterest2D()
    roi.header = header
    roi.xmin = _share(box.x / width)
    roi.ymin = _share(box.y / height)
    roi.xmax = _share((box.x + box.width) / width)
    roi.ymax = _share((box.y + box.height) / height)
    # fer-edge publishes confirmed faces only, and not how sure the detector was.
    roi.c = 1.0
    return roi


def face_id(device: str, number: int) -> str:
    """Letters, digits and _, as a topic's name asks for; unique over all devices."""
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', f'fer_{device}')}_{number}"


class Bridge(Node):
    """Publishes what a subscription brings."""

    def __init__(self) -> None:
        super().__init__("fer_edge")
        defaults = {"url": "mqtt://localhost", "frame_id": "camera"}
        for name in ("url", "device", "username", "password_file", "ca_file", "frame_id"):
            self.declare_parameter(name, defaults.get(name, ""))
        self._tracked = self.create_publisher(IdsList, "/humans/faces/tracked", QOS)
        self._publishers: dict[str, dict[str, tuple]] = {}
        """For each device the publishers of each face, by the face's id."""

    def parameter(self, name: str) -> str | None:
        """Its value; None if it is empty."""
        return self.get_parameter(name).value or None

    def subscribe(self) -> Subscription:
        """A subscription as the parameters say."""
        file = self.parameter("password_file")
        return subscribe(
            self.parameter("url"),
            device=self.parameter("device"),
            username=self.parameter("username"),
            password=Path(file).read_text("utf-8").splitlines()[0] if file else None,
            ca_file=self.parameter("ca_file"),
        )

    def publish(self, message: Faces) -> None:
        """Ids, regions and expressions of one picture."""
        header = self._header(message)
        publishers = self._publishers.setdefault(message.device, {})
        seen = {face_id(message.device, face.id): face for face in message.faces}
        for gone in publishers.keys() - seen.keys():
            self._forget(message.device, gone)
        for name in seen.keys() - publishers.keys():
            base = f"/humans/faces/{name}"
            publishers[name] = (
                self.create_publisher(NormalizedRegionOfInterest2D, f"{base}/roi", QOS),
                self.create_publisher(Expression, f"{base}/expression", QOS),
            )
        self._publish_ids(header)
        for name, face in seen.items():
            roi, shown = publishers[name]
            roi.publish(region(face, message, header))
            shown.publish(expression(face, header))

    def devices(self) -> list[str]:
        """Those of which something is known."""
        return list(self._publishers)

    def drop(self, device: str) -> None:
        """A device, or the broker, is offline: nothing is known of its faces any more."""
        names = list(self._publishers.get(device, ()))
        for name in names:
            self._forget(device, name)
        self._publishers.pop(device, None)
        if names:
            self._publish_ids(Header(stamp=self.get_clock().now().to_msg()))

    def _publish_ids(self, header: Header) -> None:
        ids = IdsList()
        ids.header = header
        ids.ids = [name for faces in self._publishers.values() for name in faces]
        self._tracked.publish(ids)

    def _forget(self, device: str, name: str) -> None:
        for publisher in self._publishers[device].pop(name):
            self.destroy_publisher(publisher)

    def _header(self, message: Faces) -> Header:
        seconds, micros = divmod(round(message.captured_at.timestamp() * 1e6), 1_000_000)
        stamp = Time(sec=seconds, nanosec=micros * 1000)
        return Header(stamp=stamp, frame_id=self.parameter("frame_id") or "")


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def main() -> None:
    """Run until ROS ends."""
    rclpy.init()
    bridge = Bridge()
    try:
        with bridge.subscribe() as subscription:
            while rclpy.ok():
                message = subscription.get(POLL_S)
                if message is not None:
                    bridge.publish(message)
                for device in bridge.devices():
                    if not (subscription.connected and subscription.online.get(device, True)):
                        bridge.drop(device)
                rclpy.spin_once(bridge, timeout_sec=0)
    except KeyboardInterrupt:
        pass
    finally:
        bridge.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
