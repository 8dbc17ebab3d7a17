"""The inside of a confined child: it does jobs one by one, within limits. See ``reverberate.confined``.

Imports little, for a child's start is waited for.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.model import JSON

LONGEST_WORDS: Final = 2000
OPEN_FILES: Final = 32
HEADER: Final = struct.Struct(">I")


def frame(value: JSON) -> bytes:
    """A value as it travels: its length in four bytes, then JSON."""
    body = json.dumps(value).encode()
    return HEADER.pack(len(body)) + body


OUT_OF_MEMORY: Final = frame({"overrun": "memory"})


def receive(source: socket.socket, *, most: int, until: float | None = None) -> Any:
    """The next value, or None if it is longer than ``most`` bytes.

    Raises:
        EOFError: the other side is gone.
        TimeoutError: it was not all there at ``until`` (on the monotonic clock).
    """
    (size,) = HEADER.unpack(b"".join(_pieces(source, HEADER.size, until)))
    return json.loads(b"".join(_pieces(source, size, until))) if size <= most else None


def _pieces(source: socket.socket, size: int, until: float | None) -> Iterator[bytes]:
    while size:
        source.settimeout(None if until is None else max(until - time.monotonic(), 1e-6))
        piece = source.recv(min(size, 1 << 20))
        if not piece:
            raise EOFError
        size -= len(piece)
        yield piece


def main() -> None:
    """Do jobs until the parent closes its end, or is gone."""
    parent = _only_the_parent()
    _give_up_rights()
    try:
        while _answer(parent):
            pass
    except (EOFError, OSError):
        return


def _only_the_parent() -> socket.socket:
    """The way to the parent, moved away from standard input, which jobs must not read."""
    parent = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return parent


def _give_up_rights() -> None:
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, OPEN_FILES)):
        resource.setrlimit(what, (most, most))


def _answer(parent: socket.socket) -> bool:
    request = receive(parent, most=sys.maxsize)
    try:
        reply = frame({"result": _done(request)})
    except MemoryError:
        parent.sendall(OUT_OF_MEMORY)
        return False  # who ran out of memory once is in a doubtful state
    except Exception as error:  # noqa: BLE001 - whatever a job raises is told to the parent, never swallowed
        reply = frame({"error": [type(error).__name__, str(error)[:LONGEST_WORDS]]})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _lift_memory_limit()
    parent.sendall(reply)
    return True


def _done(request: dict[str, Any]) -> Any:
    if "module" in request:
        importlib.import_module(request["module"])
        return None
    module, _, name = request["job"].partition(":")
    function = getattr(sys.modules[module], name)
    signal.setitimer(signal.ITIMER_REAL, request["seconds"] + 1)  # ends us if the parent died and cannot
    _limit_memory(request["megabytes"])
    return function(request["arguments"])


def _limit_memory(megabytes: int) -> None:
    """Allow so much memory above what is in use now, where the system says how much that is."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if in_use := _bytes_in_use():
        limit = in_use + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _lift_memory_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _bytes_in_use() -> int | None:
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib would be the child's costliest import
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None


if __name__ == "__main__":
    main()
