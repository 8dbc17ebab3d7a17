"""Jobs that misbehave, for test_confined: imported by the children only."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any


def echo(value: Any) -> Any:
    return value


def process(_: Any) -> int:
    return os.getpid()


def session(_: Any) -> int:
    return os.getsid(0)


def spin(_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def eat(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def long_result(megabytes: int) -> str:
    return "x" * (megabytes << 20)


def fail(words: str) -> None:
    raise KeyError(words)


def abort(_: Any) -> None:
    os.abort()


def leave(status: int) -> None:
    sys.exit(status)


def no_json(_: Any) -> Any:
    return {1, 2}


def chatter(words: str) -> str:
    sys.stdout.write(words)
    os.write(1, words.encode())
    os.write(2, words.encode())
    return sys.stdin.read()


def environment(_: Any) -> dict[str, str]:
    return dict(os.environ)


def write(path: str) -> None:
    Path(path).write_text("x", encoding="ascii")


def open_files(_: Any) -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def limits(_: Any) -> list[int]:
    return [resource.getrlimit(what)[0] for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)]
