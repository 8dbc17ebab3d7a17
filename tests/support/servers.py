"""Servers for tests: started on free loopback ports, ended by their own pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def missing(what: str) -> None:
    """Skip, visibly; in CI a missing server is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed, and CI must have it")
    pytest.skip(f"{what} is not installed")


def _postgres_programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@contextmanager
def postgresql() -> Iterator[str]:
    """A throw-away PostgreSQL cluster; gives its address."""
    programs = _postgres_programs()
    if programs is None:
        missing("PostgreSQL")
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="rev-pg-"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, "postgres")
    port = free_port()
    try:
        make = [
            *user,
            programs / "initdb",
            "-D",
            folder / "data",
            "-A",
            "trust",
            "-U",
            "app",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*make, "--locale=C.UTF-8"], check=True, capture_output=True, cwd=folder)
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        control = [*user, programs / "pg_ctl", "-D", folder / "data", "-w"]
        subprocess.run(
            [*control, "-l", folder / "log", "-o", options, "start"], check=True, capture_output=True, cwd=folder
        )
        try:
            yield f"postgresql://app@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)
    finally:  # a database a test is tens of thousands of files: nobody waits until they are gone
        subprocess.run(["/bin/sh", "-c", 'rm -rf "$0" &', str(folder)], check=True)


class RedisServer:
    """A redis-server (or valkey-server) process on a loopback port."""

    def __init__(self, folder: Path, program: Path | str) -> None:
        self.folder, self.program, self.port = folder, str(program), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while self.ask("PING") != "+PONG":
            assert time.monotonic() < deadline, "the Redis server does not start"
            time.sleep(0.02)

    def ask(self, command: str) -> str:
        """The first line of the answer to a plain command; "" if nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(200).decode().split("\r\n")[0]
        except OSError:
            return ""

    def dump(self) -> bytes:
        """All that the server holds, each value in its own dumped form, after the name."""
        with redis.Redis(port=self.port) as client:
            return b"\n".join(key + b" " + (client.dump(key) or b"") for key in client.keys("*"))

    @contextmanager
    def monitor(self, path: Path) -> Iterator[None]:
        """Write every command that the server gets to ``path`` while the block runs."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=0.2)
        connection.sendall(b"MONITOR\r\n")
        ended = threading.Event()

        def copy() -> None:
            with path.open("wb") as out:
                while not ended.is_set():
                    try:
                        out.write(connection.recv(65536))
                    except TimeoutError:
                        out.flush()

        thread = threading.Thread(target=copy)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            connection.close()

    def kill(self) -> None:
        """Kill -9."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def redis_program() -> Path:
    """A Redis server program, or a visible skip."""
    from reverberate.broker import find_server  # noqa: PLC0415 - only where a server is wanted

    program = find_server()
    if program is None:
        missing("a Redis or Valkey server")
    assert program is not None
    return program
