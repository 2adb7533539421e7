"""Messages to an MQTT broker; only `link` knows the client library."""
