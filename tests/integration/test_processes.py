"""The real programs together: nothing is lost and nothing is sent twice, whatever is killed or wiped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from reverberate import broker, runtime
from reverberate.sandbox import Sandbox
from reverberate.sandbox.blog import Blog
from support import inside
from support.blogger import ACCOUNTS, SEED, Blogger, move_in
from support.processes import alive, run, running
from support.servers import free_port, redis_program
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed=SEED) as one:
        yield one


def service_lines() -> list[str]:
    return ["[service]", f'listen = "127.0.0.1:{free_port()}"']


@pytest.fixture
def blogger(tmp_path: Path, sandbox: Sandbox) -> Blogger:
    return move_in(tmp_path, sandbox, extra=service_lines())


def publish(blogger: Blogger, *titles: str, env: dict[str, str] | None = None) -> None:
    """With the command, one after the other."""
    for title in titles:
        done = inside.run(blogger.config, "publish", str(blogger.post(title)), env=env)
        assert done.returncode == 0, done.stderr


def publish_at_once(blogger: Blogger, *titles: str, env: dict[str, str] | None = None) -> None:
    """With the command as a program, all of them at the same time."""

    def one(title: str) -> None:
        done = run(blogger.config, "publish", str(blogger.post(title)), env=env)
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, titles))


def log_of(blogger: Blogger) -> Path:
    return blogger.config.parent / "up.log"


def all_once(blogger: Blogger, *titles: str) -> bool:
    """Whether every title is on every account; fails at once if one is there twice."""
    accepted = blogger.accepted()
    assert max(accepted.values(), default=0) <= 1, accepted
    return set(accepted) >= {(account, title) for account in ACCOUNTS for title in titles}


def test_up_shares_a_published_post_on_every_account(blogger: Blogger) -> None:
    with running(blogger.config, "up", log=log_of(blogger)) as up:
        until(lambda: broker.running_url(runtime.read_config(blogger.config)) != "", 15)
        publish_at_once(blogger, "First post")
        until(lambda: all_once(blogger, "First post"), 20)
        until(lambda: {s["state"] for s in inside.ask(blogger.config, "shares")} == {"sent"}, 10)
    assert up.returncode == 0, log_of(blogger).read_text()

    (post,) = inside.ask(blogger.config, "posts")
    story = inside.ask(blogger.config, "why", str(post["id"]), "bs")
    assert [attempt["outcome"] for attempt in story["shares"][0]["attempts"]] == ["receipt"]
    assert story["shares"][0]["permalink"].startswith("http://127.0.0.1")


def test_up_reads_a_feed_and_shares_only_what_is_new(tmp_path: Path, sandbox: Sandbox) -> None:
    with Blog(tmp_path / "blog") as blog:
        source = ["[sources.blog]", 'type = "feed"', f'url = "{blog.url}/atom.xml"', 'every = "1s"', ""]
        blogger = move_in(tmp_path, sandbox, extra=source + service_lines())
        with running(blogger.config, "up", log=log_of(blogger)):
            until(lambda: len(inside.ask(blogger.config, "posts")) == 3, 15)
            blog.publish("Fresh", "<p>News</p>", summary="News", tags=["a"])
            until(lambda: all_once(blogger, "Fresh"), 20)

        assert len(blogger.entries()) == len(ACCOUNTS)


def test_a_worker_that_is_killed_between_two_shares_sends_nothing_twice_and_loses_nothing(blogger: Blogger) -> None:
    """The first worker dies as soon as the sandbox has accepted something; another does the rest."""
    titles = [f"Post {n}" for n in range(5)]
    env = {"REDIS_URL": "redis://127.0.0.1:1/0"}  # nobody there: the pollers deliver
    told = blogger.config.read_text("utf-8").replace('network = "', 'settle = "1s"\nnetwork = "')
    blogger.config.write_text(told, "utf-8")  # the sandbox lists a post at once
    publish(blogger, *titles, env=env)
    with running(blogger.config, "worker", env=env, log=log_of(blogger)) as worker:
        until(lambda: len(blogger.entries()) >= 2, 20)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert len(blogger.entries()) < len(titles) * len(ACCOUNTS), "it was killed too late to prove anything"

    with running(blogger.config, "dispatcher", env=env), running(blogger.config, "worker", env=env):
        until(lambda: all_once(blogger, *titles), 90)
        until(lambda: {s["state"] for s in inside.ask(blogger.config, "shares", env=env)} == {"sent"}, 90)

    assert max(blogger.accepted().values()) == 1


def test_a_wiped_redis_loses_nothing(blogger: Blogger, redis_server: RedisServer) -> None:
    env = {"REDIS_URL": redis_server.url}
    titles = [f"Post {n}" for n in range(5)]
    publish_at_once(blogger, *titles, env=env)
    with running(blogger.config, "dispatcher", env=env):
        until(lambda: redis_server.ask("LLEN reverberate") not in {":0", ""}, 15)
        assert redis_server.ask("FLUSHALL") == "+OK"
    assert blogger.entries() == []

    with running(blogger.config, "worker", env=env):
        until(lambda: all_once(blogger, *titles), 30)


def test_a_redis_that_makes_celery_give_up_ends_neither_worker_nor_dispatcher(
    blogger: Blogger, redis_server: RedisServer
) -> None:
    """Somebody's text stands where Celery has its queue: once it is gone, shares go through Redis again."""
    env = {"REDIS_URL": redis_server.url}
    assert redis_server.ask("SET reverberate text") == "+OK"
    with (
        running(blogger.config, "worker", env=env, log=log_of(blogger)) as worker,
        running(blogger.config, "dispatcher", env=env, log=log_of(blogger)) as dispatcher,
    ):
        publish(blogger, "First", env=env)
        until(lambda: all_once(blogger, "First"), 30)
        assert redis_server.ask("DEL reverberate") == ":1"
        publish(blogger, "Second", env=env)
        until(lambda: all_once(blogger, "Second"), 30)
        time.sleep(2)
        assert (worker.poll(), dispatcher.poll()) == (None, None), log_of(blogger).read_text()


def test_a_stopped_redis_delays_a_share_by_two_seconds_at_most(blogger: Blogger, redis_server: RedisServer) -> None:
    env = {"REDIS_URL": redis_server.url}
    with (
        running(blogger.config, "dispatcher", env=env),
        running(blogger.config, "worker", env=env, log=log_of(blogger)),
    ):
        publish(blogger, "Before", env=env)
        until(lambda: all_once(blogger, "Before"), 20)
        redis_server.kill()
        publish(blogger, "After", env=env)
        published = time.monotonic()
        until(lambda: all_once(blogger, "Before", "After"), 20)
        late = time.monotonic() - published

    assert late < 4, f"{late:.1f} s"  # two seconds are promised; the rest is for a busy test machine


@pytest.mark.postgres
def test_separate_processes_on_postgresql_and_redis_do_the_same(
    tmp_path: Path, sandbox: Sandbox, postgres_url: str, redis_server: RedisServer
) -> None:
    blogger = move_in(tmp_path, sandbox)
    env = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_server.url}
    with (
        running(blogger.config, "dispatcher", env=env),
        running(blogger.config, "dispatcher", env=env),
        running(blogger.config, "worker", env=env),
        running(blogger.config, "worker", env=env),
    ):
        publish_at_once(blogger, "One", "Two", env=env)
        until(lambda: all_once(blogger, "One", "Two"), 30)
        until(lambda: {s["state"] for s in inside.ask(blogger.config, "shares", env=env)} == {"sent"}, 10)

    assert max(blogger.accepted().values()) == 1


def test_without_any_redis_the_service_delivers_in_its_own_process(
    blogger: Blogger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(broker, "find_server", lambda: None)
    monkeypatch.delenv("REDIS_URL", raising=False)
    with runtime.Up(runtime.read_config(blogger.config)).running():
        publish(blogger, "Alone", env={"REDIS_URL": ""})
        until(lambda: all_once(blogger, "Alone"), 20)

    assert "the poller delivers in this process" in caplog.text


def test_the_worker_is_started_again_when_it_dies(blogger: Blogger) -> None:
    with running(blogger.config, "up", log=log_of(blogger)) as up:
        until(lambda: bool(children(up.pid, "worker")), 15)
        (worker,) = children(up.pid, "worker")
        os.kill(worker, signal.SIGKILL)
        until(lambda: children(up.pid, "worker") not in ([], [worker]), 15)
        publish(blogger, "After the fall")
        until(lambda: all_once(blogger, "After the fall"), 20)


def test_an_up_that_is_killed_takes_its_worker_and_its_redis_along(blogger: Blogger) -> None:
    with running(blogger.config, "up", log=log_of(blogger)) as up:
        until(lambda: bool(children(up.pid, "worker")), 15)
        left = [*children(up.pid, "worker"), *children(up.pid, "redis.sock")]
        assert len(left) == 2
        os.kill(up.pid, signal.SIGKILL)
        up.wait()
        until(lambda: not any(alive(pid) for pid in left), 20)


def test_a_worker_that_is_stopped_while_it_begins_ends_too(blogger: Blogger, redis_server: RedisServer) -> None:
    for pause in (0.7, 0.9, 1.1, 1.3):
        with running(blogger.config, "worker", env={"REDIS_URL": redis_server.url}) as worker:
            time.sleep(pause)
        assert worker.returncode in {0, -signal.SIGINT, 130}, pause


def children(parent: int, word: str) -> list[int]:
    """The processes whose parent this is and whose command ends with the word."""
    listed = subprocess.run(["ps", "-wwAo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(row[0]) for row in rows if len(row) == 3 and int(row[1]) == parent and row[2].endswith(word)]


def test_the_embedded_redis_is_the_owners_alone(tmp_path: Path) -> None:
    redis_program()
    embedded = broker.start_embedded(tmp_path)
    assert embedded is not None
    try:
        assert embedded.socket.stat().st_mode & 0o077 == 0
        assert embedded.socket.parent.stat().st_mode & 0o077 == 0
        assert len(str(embedded.socket)) < 100
        assert (tmp_path / "redis" / "appendonlydir").exists()
    finally:
        embedded.stop()
    assert embedded.process.poll() is not None
