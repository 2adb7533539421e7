"""Runs in Home Assistant's own environment: checks what we send and ship with its own validators.

Reads {"discovery": payload, "blueprints": [paths]} as JSON, prints every fault on a line of its own.
"""

import asyncio
import importlib
import json
import sys
import tempfile

import voluptuous as vol
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.mqtt import device_trigger
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import load_yaml_dict

NEWER = {"default_entity_id"}
"""Keys that only a later release knows; this one passes over them."""


def check_component(key, component, device, origin):
    """A component's keys that the platform's schema does not know, or what it refuses."""
    platform = component["platform"]
    config = {k: v for k, v in component.items() if k != "platform"}
    config |= {"device": device}
    if platform == "device_automation":
        schema = device_trigger.TRIGGER_DISCOVERY_SCHEMA
    else:
        config["origin"] = origin
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        schema = module.DISCOVERY_SCHEMA
    try:
        accepted = schema(dict(config))
    except vol.Invalid as error:
        yield f"{key}: {error}"
        return
    unknown = config.keys() - accepted.keys() - NEWER
    yield from (f"{key}: Home Assistant does not know {name}" for name in sorted(unknown))


def check(asked):
    payload = asked["discovery"]
    DEVICE_DISCOVERY_SCHEMA(json.loads(json.dumps(payload)))
    for key, component in payload["components"].items():
        yield from check_component(key, component, payload["device"], payload["origin"])
    for path in asked["blueprints"]:
        blueprint = Blueprint(
            load_yaml_dict(path), expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA
        )
        yield from (f"{path}: {fault}" for fault in blueprint.validate() or [])


async def main():
    HomeAssistant(tempfile.mkdtemp())  # validators of templates ask for one
    for fault in check(json.load(sys.stdin)):
        sys.stdout.write(f"{fault}\n")


if __name__ == "__main__":
    asyncio.run(main())
