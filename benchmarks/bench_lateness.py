"""How late shares are written down as sent, after they were due: on a healthy system, and when a worker is killed -9.

Ten a second, on fifty accounts of the sandbox's Bluesky, where an answer takes a tenth of a second; what is measured
ends a little after the network's acceptance. The killed worker's place is taken by another one at once, as a supervisor
does it. (A network without an identity of ours is asked first whether the share is there, after the time that its
listings need: that comes on top.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench_delivery import child, redis
from sqlalchemy import select

from reverberate.model import Post
from reverberate.sandbox import credentials, settings
from reverberate.store import Store, posts, shares
from reverberate.store.shares import NewShare

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS, SECONDS, RATE = 50, int(os.environ.get("BENCH_SECONDS", "30")), 10
LONGEST = 60
"""Seconds after the last one is due within which all must be sent."""


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """The sandbox's address."""
    command = [sys.executable, "-m", "reverberate.sandbox", "--folder", str(folder), "--seed", "s"]
    command += ["--fault", "drip:on=publish,probability=1,seconds=0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()


def configured(folder: Path, url: str) -> Path:
    """A config of so many accounts there."""
    lines = []
    for name in (f"a{n}" for n in range(ACCOUNTS)):
        lines += [f"[accounts.{name}]", 'network = "bluesky"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings(url, "s", "bluesky", name).items()]
        for key, value in credentials("s", "bluesky", name).items():
            (folder / f"{name}.{key}").write_text(value, encoding="utf-8")
            lines.append(f"{key} = {{ file = {json.dumps(str(folder / f'{name}.{key}'))} }}")
    config = folder / "reverberate.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    return config


def main() -> None:
    """Measure, print, and print it as JSON."""
    found = {"healthy": measured(), "a worker killed": measured(kill_after=SECONDS / 2)}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def measured(*, kill_after: float | None = None) -> dict[str, float]:
    """Seconds: median, p99 and most of all shares."""
    with tempfile.TemporaryDirectory() as name, redis(name) as broker, ExitStack() as stack:
        folder = Path(name)
        config = configured(folder, stack.enter_context(sandbox(folder / "sandbox")))
        env = {"REDIS_URL": broker, "DATABASE_URL": f"sqlite:///{folder}/r.db"}
        program = (sys.executable, "-m", "reverberate", "--config", str(config))
        store = Store(env["DATABASE_URL"])
        stack.callback(store.close)
        stack.enter_context(child(*program, "dispatcher", **env))
        worker = stack.enter_context(child(*program, "worker", **env))
        begin = datetime.now(UTC) + timedelta(seconds=8)
        plan(store, begin)
        if kill_after is not None:
            time.sleep((begin - datetime.now(UTC)).total_seconds() + kill_after)
            worker.kill()
            stack.enter_context(child(*program, "worker", **env))
        late = sorted(sent(store, until=begin + timedelta(seconds=SECONDS + LONGEST)))
    return {"median": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "most": late[-1]}


def plan(store: Store, begin: datetime) -> None:
    """Evenly from ``begin`` on, each account in turn."""
    now = datetime.now(UTC)
    with store.write() as tx:
        for number in range(SECONDS * RATE):
            post_id = posts.add(tx, Post(url=f"https://blog.example/{number}", title="A post"), source="b", now=now)
            due = begin + timedelta(seconds=number / RATE)
            new = NewShare(post_id=post_id, account=f"a{number % ACCOUNTS}", due=due, key=str(number))
            shares.plan(tx, [new], now=now)


def sent(store: Store, *, until: datetime) -> list[float]:
    """By how many seconds each share is late, once all are sent."""
    table = shares.shares
    while datetime.now(UTC) < until:
        with store.read() as tx:
            rows = list(tx.execute(select(table.c.sent, table.c.wanted).where(table.c.sent.is_not(None))))
        if len(rows) == SECONDS * RATE:
            return [round((row.sent - row.wanted).total_seconds(), 3) for row in rows]
        time.sleep(0.5)
    raise TimeoutError(f"{len(rows)} of {SECONDS * RATE} are sent")


if __name__ == "__main__":
    main()
