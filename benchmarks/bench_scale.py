"""A hundred thousand posts and a million shares: pages, the one screen, and what a dispatch costs beside a small store."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from bench_delivery import child, until_open

from reverberate.store import Store, claims, tokens
from reverberate.store.tables import shares
from support.bulk import SCHEDULED, fill
from support.servers import free_port, postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTS = int(os.environ.get("BENCH_POSTS", "100000"))
ACCOUNTS = 10
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "100"))
QUESTIONS = {
    "status": "/api/status",
    "shares": "/api/shares",
    "shares of an account": "/api/shares?account=a3",
    "shares of a source in a state": "/api/shares?source=s2&state=refused",
    "shares of an account and a source": "/api/shares?account=a3&source=s2",
    "shares of a day": "/api/shares?since={since}&until={until}",
    "shares of a post": "/api/shares?post=777",
    "a page in the middle": "/api/shares?cursor={middle}",
    "a share's story": "/api/shares/777",
    "posts": "/api/posts",
    "posts of a source": "/api/posts?source=s2&limit=50",
    "events": "/api/events",
    "events of an account of one kind": "/api/events?account=a3&kind=share%20refused",
    "metrics": "/metrics",
}


def main() -> None:
    """Measure and print, for SQLite and then for PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/large.db"
        measure("SQLite", small, large, folder, most=1.15)
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        base = server.rsplit("/", 1)[0]
        admin = Store(server)
        admin.close()
        measure("PostgreSQL", made(server, f"{base}/small"), made(server, f"{base}/large"), folder, most=1.5)


def made(server: str, url: str) -> str:
    """An empty PostgreSQL database of that address."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {url.rsplit('/', 1)[1]}")  # type: ignore[arg-type]  # a name of ours
    return url


def measure(name: str, small: str, large: str, folder: str, *, most: float) -> None:
    """Fill both stores, ask the large one over the API, and compare what a dispatch costs."""
    little, many = Store(small), Store(large)
    fill(little, posts=100, accounts=ACCOUNTS, states=SCHEDULED)
    began = time.perf_counter()
    fill(many, posts=POSTS, accounts=ACCOUNTS)
    say(f"{name}: {POSTS * ACCOUNTS:,} shares made in {time.perf_counter() - began:.0f} s")
    with serving(large, folder, many) as (address, token):
        pages(name, address, token)
    with many.write() as tx:
        tx.execute(shares.update().values(state="scheduled", wake=shares.c.due).where(shares.c.state == "sent"))
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        late = shares.c.wake < tomorrow
        tx.execute(
            shares.update().values(due=tomorrow + timedelta(days=30), wake=tomorrow + timedelta(days=30)).where(late)
        )
    ratio = dispatches(name, little, many)
    little.close()
    many.close()
    say(f"{name}: a dispatch costs {ratio:.2f} times what it costs among a thousand (bound {most})")


@contextmanager
def serving(database: str, folder: str, store: Store) -> Iterator[tuple[str, str]]:
    """The real web door on that database; its address, and a token."""
    port = free_port()
    config = Path(folder) / "reverberate.toml"
    accounts = "".join(f'[accounts.a{number}]\nnetwork = "memory"\n' for number in range(ACCOUNTS))
    config.write_text(f'[service]\nlisten = "127.0.0.1:{port}"\n{accounts}', encoding="utf-8")
    with store.write() as tx:
        token = tokens.create(tx, "bench", tokens.Scope.READ, now=datetime.now(UTC))
    program = (sys.executable, "-m", "reverberate", "--config", str(config), "web")
    with child(*program, DATABASE_URL=database):
        for _ in range(6):  # a busy machine takes its time
            with suppress(TimeoutError):
                until_open(port)
                break
        yield f"http://127.0.0.1:{port}", token


def pages(name: str, address: str, token: str) -> None:
    """Ask each question often, in turns; say the median and the 95th percentile."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    now = datetime.now(UTC)
    second = timedelta(seconds=POSTS * ACCOUNTS)  # a share was due in each of the last so many
    ago = {"since": now - second / 2, "until": now - second / 2 + second / 10}
    told = {key: at.strftime("%Y-%m-%dT%H:%M:%SZ") for key, at in ago.items()}
    page = session.get(address + "/api/shares?state=sent&limit=1&until=" + told["since"], timeout=30).json()
    told["middle"] = page["next"]
    took: dict[str, list[float]] = {question: [] for question in QUESTIONS}
    for _ in range(ROUNDS):
        for question, path in QUESTIONS.items():
            began = time.perf_counter()
            answer = session.get(address + path.format(**told), timeout=30)
            took[question].append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
            time.sleep(0.05)  # as often as a token may ask
    for question, times in took.items():
        ordered = sorted(times)
        say(
            f"{name}: {question}: median {statistics.median(ordered):.1f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.1f} ms"
        )


def dispatches(name: str, little: Store, many: Store) -> float:
    """How much more it costs to take a hundred due shares from the large store, measured in turns."""
    took: dict[Store, list[float]] = {little: [], many: []}
    for turn in range(ROUNDS + 5):
        for store in (little, many):
            now = datetime.now(UTC)
            first = (turn * 100) % 900
            with store.write() as tx:  # a hundred that were planned together come due
                ids = [
                    row.id
                    for row in tx.execute(
                        shares.select().with_only_columns(shares.c.id).order_by(shares.c.id).offset(first).limit(100)
                    )
                ]
                tx.execute(shares.update().where(shares.c.id.in_(ids)).values(due=now, wake=now))
            began = time.perf_counter()
            with store.read() as tx:
                claims.next_wake(tx)
            with store.write() as tx:
                taken = claims.take_due(tx, now=now, limit=100)
            took[store].append(time.perf_counter() - began)
            later = now + timedelta(days=2)
            with store.write() as tx:
                tx.execute(shares.update().where(shares.c.id.in_(taken)).values(due=later, wake=later))
    medians = {store: statistics.median(times[5:]) for store, times in took.items()}
    say(f"{name}: a hundred shares handed over in {medians[little] * 1000:.1f} ms and in {medians[many] * 1000:.1f} ms")
    return medians[many] / medians[little]


def say(words: str) -> None:
    """A line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
