"""Throughput and fan-out, against baselines in the same run.

``ours``: due shares in SQLite (synchronous=FULL), a dispatcher, Redis, a Celery worker, the real Mastodon client.
``celery``: one Celery task for each, which does one ``requests`` POST and nothing else.
``threads``: a bare loop of ``requests`` POSTs on as many threads.
``apprise``: the same fan-out through Apprise, if it is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from reverberate.model import Post
from reverberate.store import Store, posts, shares
from reverberate.store.shares import NewShare
from support.servers import free_port, redis_program

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
THREADS, ACCOUNTS = 32, 100
SHARES = int(os.environ.get("BENCH_SHARES", "2000"))


@contextmanager
def child(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program for as long as the block lasts."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def network(milliseconds: int) -> Iterator[str]:
    """The accepting server; its address."""
    port = free_port()
    with child(sys.executable, str(HERE / "server.py"), str(port), str(milliseconds)):
        until_open(port)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def redis(folder: str) -> Iterator[str]:
    """A Redis without a file."""
    port = free_port()
    program = redis_program()
    with child(str(program), "--port", str(port), "--save", "", "--dir", folder):
        until_open(port)
        yield f"redis://127.0.0.1:{port}/0"


def until_open(port: int) -> None:
    import socket

    for _ in range(500):
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(port)


def accepted(url: str) -> list[float]:
    times: list[float] = requests.get(f"{url}/times", timeout=10).json()
    return times


def until_accepted(url: str, number: int) -> list[float]:
    deadline = time.monotonic() + 120
    while len(times := accepted(url)) < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(times)} of {number}")
        time.sleep(0.1)
    return times


def ours(url: str, folder: str, number: int) -> tuple[float, float]:
    """Posts a second, and seconds from due to the last one."""
    config = Path(folder) / "reverberate.toml"
    table = '[accounts.a{n}]\nnetwork = "mastodon"\ninstance = "{url}"\naccess_token = {{ env = "BENCH_TOKEN" }}\n'
    config.write_text("".join(table.format(n=n, url=url) for n in range(ACCOUNTS)), encoding="utf-8")
    database = f"sqlite:///{folder}/r.db"
    due = datetime.now(UTC) + timedelta(seconds=6)
    store = Store(database)
    with store.write() as tx:
        now = datetime.now(UTC)
        for n in range(number // ACCOUNTS):
            post_id = posts.add(tx, Post(url=f"https://blog.example/{n}", title=f"Post {n}"), source="b", now=now)
            shares.plan(
                tx,
                [NewShare(post_id=post_id, account=f"a{a}", due=due, key=f"{n}-{a}") for a in range(ACCOUNTS)],
                now=now,
            )
    store.close()
    program = (sys.executable, "-m", "reverberate", "--config", str(config))
    with redis(folder) as broker:
        env = {"REDIS_URL": broker, "DATABASE_URL": database, "BENCH_TOKEN": "x"}
        with child(*program, "dispatcher", **env), child(*program, "worker", **env):
            times = until_accepted(url, number)
    return len(times) / (times[-1] - due.timestamp()), times[-1] - due.timestamp()


def celery(url: str, folder: str, number: int) -> float:
    """Posts a second."""
    with redis(folder) as broker:
        env = {"BENCH_BROKER": broker, "BENCH_URL": url, "PYTHONPATH": str(HERE)}
        os.environ |= env
        from one_task import post

        for _ in range(number):
            post.delay()
        options = ("-P", "threads", "-c", str(THREADS), "--without-gossip", "--without-mingle", "-l", "error")
        with child(sys.executable, "-m", "celery", "-A", "one_task", "worker", *options, **env):
            times = until_accepted(url, number)
    return rate(times)


def threads(url: str, number: int) -> float:
    """Posts a second."""
    import threading

    own = threading.local()

    def one(_: int) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        own.session.post(url, json={"status": "hello"}, timeout=10)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(number)))
    return rate(accepted(url))


def apprise_fan_out(url: str) -> float:
    """Seconds for one message to all accounts; 0 where it is not installed."""
    try:
        import apprise
    except ImportError:
        return 0.0
    to_all = apprise.Apprise()
    for _ in range(ACCOUNTS):
        to_all.add(url.replace("http://", "json://"))
    began = time.perf_counter()
    to_all.notify(body="hello", title="hello")
    return time.perf_counter() - began


def rate(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    """Measure, print, and print it as JSON."""
    found: dict[str, Any] = {"shares": SHARES}
    with tempfile.TemporaryDirectory() as folder:
        with network(0) as url:
            found["threads_per_s"] = threads(url, SHARES)
        with network(0) as url:
            found["celery_per_s"] = celery(url, folder, SHARES)
        with network(0) as url:
            found["ours_per_s"], _ = ours(url, folder, SHARES)
    with tempfile.TemporaryDirectory() as folder:
        with network(200) as url:
            _, found["fan_out_s"] = ours(url, folder, ACCOUNTS)
        with network(200) as url:
            found["apprise_s"] = apprise_fan_out(url)
    found["ours_to_celery"] = found["ours_per_s"] / found["celery_per_s"]
    found["ours_to_threads"] = found["ours_per_s"] / found["threads_per_s"]
    found["fan_out_to_apprise"] = found["fan_out_s"] / found["apprise_s"] if found["apprise_s"] else None
    sys.stdout.write(json.dumps({key: value and round(value, 3) for key, value in found.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
