"""Every process ends within ten seconds of being asked, whatever hangs then."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import runtime
from reverberate.model import Post
from support.processes import alive, started
from support.servers import free_port
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import RedisServer

pytestmark = pytest.mark.redis
PROMISED = 10.0


class Silent:
    """A server that takes every connection and says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self.taken.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        """Hang up."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for one in (self._listener, *self.taken):
            one.close()


@dataclass
class Place:
    """An installation whose network and whose blog are silent: a share is due, and another one soon."""

    home: Path
    silent: Silent

    @property
    def config(self) -> Path:
        return self.home / "reverberate.toml"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def furnish(self) -> None:
        self.home.mkdir()
        (self.home / "token").write_text("secret-token", "utf-8")
        lines = ["[service]", f'listen = "127.0.0.1:{free_port()}"']
        lines += ["[sources.blog]", 'type = "feed"', f'url = "{self.silent.url}/feed.xml"']
        for name in ("now", "soon"):
            lines += [f"[accounts.{name}]", 'network = "mastodon"', f'instance = "{self.silent.url}"']
            lines += ['access_token = { file = "token" }']
        self.config.write_text("\n".join(lines), "utf-8")
        with runtime.open_service(runtime.read_config(self.config)) as service:
            for name, at in (("now", None), ("soon", datetime.now(UTC) + timedelta(minutes=30))):
                post = Post(url=f"https://blog.example/{name}", title=name, guid=name)
                service.publish(post, accounts=[name], at=at)

    @contextmanager
    def runs(self, role: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        process = started(self.config, role, env=env, log=self.log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Its database is in somebody else's hands."""
        (path,) = self.home.rglob("*.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, Place]]:
    """One for each role."""
    made = {role: Place(tmp_path / role, Silent()) for role in ("dispatcher", "worker", "up")}
    for place in made.values():
        place.furnish()
    yield made
    for place in made.values():
        place.silent.close()


def children(pid: int) -> list[int]:
    """The processes that this one started, and that live."""
    listed = subprocess.run(["ps", "-wwAo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and not row[2].startswith("Z")]


def test_networks_that_are_silent_a_locked_database_and_a_frozen_redis_keep_no_process_from_ending_in_time(
    places: dict[str, Place], redis_server: RedisServer
) -> None:
    with ExitStack() as stack:
        dispatcher = stack.enter_context(places["dispatcher"].runs("dispatcher"))
        worker = stack.enter_context(places["worker"].runs("worker", REDIS_URL=redis_server.url))
        up = stack.enter_context(places["up"].runs("up"))
        until(lambda: len(places["dispatcher"].silent.taken) >= 2, 30)  # the pre-flight and the look
        until(lambda: bool(places["worker"].silent.taken), 30)
        until(lambda: len(places["up"].silent.taken) >= 3 and len(children(up.pid)) == 2, 30)
        left = children(up.pid)
        for role in ("dispatcher", "up"):
            stack.enter_context(places[role].locked())
        assert redis_server.process is not None
        redis_server.process.send_signal(signal.SIGSTOP)
        stack.callback(redis_server.process.send_signal, signal.SIGCONT)
        time.sleep(1)  # they find it so

        asked = time.monotonic()
        for process in (dispatcher, worker, up):
            process.send_signal(signal.SIGINT)
        for process in (up, worker, dispatcher):
            process.wait(asked + PROMISED + 2 - time.monotonic())
        took = time.monotonic() - asked

    assert took < PROMISED + 1, took  # the one is for a busy test machine
    assert [pid for pid in left if alive(pid)] == []
