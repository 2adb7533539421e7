"""What a process and its children hand to the outside, as the kernel sees it: strace."""

import re
from dataclasses import dataclass

WRITING = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg",
)  # fmt: skip
"""Their bytes stand in the trace."""

UNSEEN = (
    "sendfile", "splice", "vmsplice", "tee", "copy_file_range", "process_vm_writev",
    "io_uring_setup", "memfd_create", "shmget",
)  # fmt: skip
"""What could hand on bytes that no trace shows."""


@dataclass(frozen=True)
class Written:
    """What one call wrote."""

    target: str
    """Descriptor and what it is: `5<TCP:[127.0.0.1:4711->127.0.0.1:1883]>`."""
    data: bytes


@dataclass(frozen=True)
class Trace:
    """Everything that was written, in the order of each thread, and calls whose bytes are not seen."""

    written: list[Written]
    unseen: list[str]


def traced(folder, command):
    """`command` under strace; `read_trace` understands what it leaves in `folder`."""
    calls = ",".join((*WRITING, *UNSEEN, "mmap"))
    return [
        "strace", "--quiet=all", "--seccomp-bpf", "-ff", "-yy", "-xx", "-s", str(2**26), "-e", f"trace={calls}",
        "-e", "signal=none", "-o", str(folder / "trace"), *map(str, command),
    ]  # fmt: skip


def read_trace(folder):
    """Of all threads and children; fails on a line that it does not understand."""
    written, unseen = [], []
    for file in sorted(folder.glob("trace.*")):
        for line in file.read_text().splitlines():
            call, _, arguments = line.partition("(")
            if call in WRITING:
                written.append(_written(arguments))
            elif call == "mmap":
                if _is_shared_memory(arguments):
                    unseen.append(_plain(line))
            elif call in UNSEEN:
                unseen.append(_plain(line))
            else:
                assert line.startswith(("+++", "---")), line[:200]
    return Trace(written, unseen)


STRING = r'"((?:\\x[0-9a-f]{2})*)"'


def _written(arguments):
    target, _, rest = arguments.partition(", ")
    assert '"...' not in rest, "strace has cut a string"
    # Addresses beside the data are not data.
    rest = re.sub(r"msg_name=\{[^}]*\}|sun_path=@?" + STRING, "", rest)
    return Written(_plain(target), b"".join(_bytes(text) for text in re.findall(STRING, rest)))


def _is_shared_memory(arguments):
    """Written by this process, read by whom it likes; a file that is only read is not."""
    return "MAP_SHARED" in arguments and "PROT_WRITE" in arguments


def _plain(text):
    return re.sub(r"(?:\\x[0-9a-f]{2})+", lambda found: _bytes(found[0]).decode("latin-1"), text)


def _bytes(escaped):
    return bytes.fromhex(escaped.replace("\\x", ""))
