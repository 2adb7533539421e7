"""Every field of the configuration, and values that people and programs put where they do not belong."""

from hypothesis import strategies as st

from fer_edge.config import Config
from fer_edge.config._describe import sections_in

ADDRESSES = [
    "mqtt://[", "mqtt://[::1", "mqtt://]", "http://[::1]:99999/", "http://[v1.x]/", "rtsp://a:b@[c", "://[",
    "a://[b", "mqtt://℀.com", "http://\u2100@x/", "mqtt://x:0", "mqtt://x:-1", "mqtt://x:٣", "mqtt://user@", "mqtt:///",
    "mqtt://" + "x" * 70 + ".com", "mqtts://xn--a", "http://..", "http://%zz", "mqtt://a..b", "http://[::1%eth0]/",
]  # fmt: skip
"""Addresses, of which Python's own parsers refuse some with errors of their own."""

ODD = ["", " ", "\0", "a\0b", "\n", "\r\n", "\x1b[2J", "\u202e", "𝕏", "🙂", "ﬁ", "x" * 5000, "nan", "inf", "-inf", "1e999",
       "0x10", "1_0", "{}", "[]", "null", "true", "~", "%s", "{0}", "../..", "/", "/dev/null", "/dev/full", "-", "--", "=",
       "auto", "demo", "none", "1" * 400, "-0.0", "١"]  # fmt: skip
"""Text that some program takes for something else."""

NUMBERS = [0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.0, -0.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan")]  # fmt: skip


def settings():
    """Every field as (path, type of its section or None), sections themselves too."""
    yield ("device",), None
    for name, field in Config.model_fields.items():
        members = list(sections_in(field.annotation))
        if members:
            yield (name,), None
        for section in members:
            kind = section.model_fields.get("type")
            chosen = kind.annotation.__args__[0] if kind else None
            for key, inner in section.model_fields.items():
                yield (name, key), chosen
                for below in sections_in(inner.annotation):
                    for word in below.model_fields:
                        yield (name, key, word), chosen


SETTINGS = list(settings())

text = st.one_of(
    st.sampled_from(ADDRESSES),
    st.sampled_from(ODD),
    st.text(max_size=30),
    st.builds(
        "{}://{}".format,
        st.sampled_from(["mqtt", "mqtts", "http", "rtsp", "x"]),
        st.text("[]:@/?#%.-0a\u2100\u200b", max_size=12),
    ),
)
"""Without lone surrogates, which no file and no terminal can hold."""

numbers = st.one_of(
    st.sampled_from(NUMBERS),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=True, allow_infinity=True),
)

scalars = st.one_of(text, numbers, st.booleans())

values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=4,
)


def toml(value):
    """`value` as TOML writes it (TOML 1.0)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(_escape(one) for one in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(one)}" for key, one in value.items()) + "}"
    return repr(value)


def _escape(character):
    return (
        character
        if character.isprintable() and character not in '"\\'
        else f"\\U{ord(character):08x}"
    )


def document(path, kind, value):
    """A file that sets one field, and what its section cannot be without."""
    required = {
        "stream": ("url", "http://camera.local/"),
        "file": ("path", "."),
        "images": ("path", "."),
    }
    *sections, field = path
    lines = [f"[{'.'.join(sections)}]"] if sections else []
    if len(sections) == 1 and kind is not None and field != "type":
        lines.append(f'type = "{kind}"')
        needed = required.get(kind)
        if sections == ["source"] and needed and needed[0] != field:
            lines.append(f'{needed[0]} = "{needed[1]}"')
    lines.append(f"{field} = {toml(value)}")
    return "\n".join(lines) + "\n"
