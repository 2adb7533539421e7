"""Message classes made from ROS 2 definitions, and the little of rclpy that the bridge uses.

Like the classes that ROS makes, they have the definition's fields and no others, and refuse a value
of the wrong type. The declarations are those of ros4hri/hri_msgs (commit 52bdab7, BSD licence),
std_msgs and builtin_interfaces (Apache-2.0), without their comments.
"""

import re
import sys
from types import ModuleType, SimpleNamespace

DEFINITIONS = {
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec",
    "std_msgs/Header": "builtin_interfaces/Time stamp\nstring frame_id",
    "hri_msgs/IdsList": "std_msgs/Header header\nstring[] ids",
    "hri_msgs/NormalizedRegionOfInterest2D": (
        "std_msgs/Header header\nfloat32 xmin\nfloat32 ymin\nfloat32 xmax\nfloat32 ymax\nfloat32 c"
    ),
    "hri_msgs/Expression": """std_msgs/Header header
string NEUTRAL="neutral"
string ANGRY="angry"
string SAD="sad"
string HAPPY="happy"
string SURPRISED="surprised"
string DISGUSTED="disgusted"
string SCARED="scared"
string PLEADING="pleading"
string VULNERABLE="vulnerable"
string DESPAIRED="despaired"
string GUILTY="guilty"
string DISAPPOINTED="disappointed"
string EMBARRASSED="embarrassed"
string HORRIFIED="horrified"
string SKEPTICAL="skeptical"
string ANNOYED="annoyed"
string FURIOUS="furious"
string SUSPICIOUS="suspicious"
string REJECTED="rejected"
string BORED="bored"
string TIRED="tired"
string ASLEEP="asleep"
string CONFUSED="confused"
string AMAZED="amazed"
string EXCITED="excited"
string expression
float32 valence
float32 arousal
float32 confidence""",
}

PLAIN = {"string": str, "float32": float, "int32": int, "uint32": int}


def make_class(name, definition, known):
    """The class of one definition."""
    fields, constants = {}, {}
    for line in definition.splitlines():
        kind, rest = line.split(" ", 1)
        if constant := re.fullmatch(r'([A-Z]+)="(.*)"', rest):
            constants[constant[1]] = constant[2]
        else:
            fields[rest] = kind

    def check(self, field, value):
        kind = fields.get(field)
        assert kind is not None, f"{name} has no field {field}"
        if kind.endswith("[]"):
            assert isinstance(value, list)
            assert all(type(one) is PLAIN[kind[:-2]] for one in value)
        else:
            wanted = PLAIN.get(kind) or known[kind]
            assert type(value) is wanted, f"{name}.{field}: {value!r} is no {kind}"
            assert kind != "uint32" or 0 <= value < 2**32
        object.__setattr__(self, field, value)

    def init(self, **given):
        for field, kind in fields.items():
            default = [] if kind.endswith("[]") else (PLAIN.get(kind) or known[kind])()
            check(self, field, given.pop(field, default))
        assert not given, f"{name} has no field {given}"

    return type(name.split("/")[1], (), {"__init__": init, "__setattr__": check, **constants})


class Publisher:
    def __init__(self, kind, topic):
        self.kind, self.topic, self.sent = kind, topic, []

    def publish(self, message):
        assert type(message) is self.kind, f"{self.topic} takes {self.kind}"
        self.sent.append(message)


class Node:
    """A node that keeps what it is asked to publish."""

    def __init__(self, name):
        self.name, self.open, self.ever = name, {}, {}
        self._parameters = {}

    def declare_parameter(self, name, value):
        self._parameters[name] = SimpleNamespace(value=value)

    def get_parameter(self, name):
        return self._parameters[name]

    def create_publisher(self, kind, topic, _qos):
        assert topic not in self.open, f"{topic} has a publisher"
        assert re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", topic), f"{topic} is no name of a topic"
        self.open[topic] = self.ever[topic] = Publisher(kind, topic)
        return self.open[topic]

    def destroy_publisher(self, publisher):
        del self.open[publisher.topic]

    def get_clock(self):
        time = sys.modules["builtin_interfaces.msg"].Time()
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: time))

    def destroy_node(self):
        self.open.clear()


def modules(node_class=Node, **rclpy):
    """What stands in for ROS in `sys.modules`."""
    known, found = {}, {}
    for name, definition in DEFINITIONS.items():
        known[name] = make_class(name, definition, known)
        package, kind = name.split("/")
        module = found.setdefault(f"{package}.msg", ModuleType(f"{package}.msg"))
        setattr(module, kind, known[name])
        found.setdefault(package, ModuleType(package))
    contents = {
        "rclpy": rclpy,
        "rclpy.node": {"Node": node_class},
        "rclpy.qos": {
            "QoSProfile": lambda **settings: settings,
            "DurabilityPolicy": SimpleNamespace(TRANSIENT_LOCAL=1),
            "ReliabilityPolicy": SimpleNamespace(RELIABLE=1),
        },
    }
    for name, values in contents.items():
        found[name] = ModuleType(name)
        vars(found[name]).update(values)
    return found
