"""Processes are killed, put to sleep, doubled; the database and Redis go away. The ledgers judge what came of it."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import tempfile
import time
import uuid
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from chaos import figures
from chaos.fleet import fleet
from chaos.place import place
from chaos.storm import Storm, Weather
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.fleet import Fleet
    from chaos.place import Place

pytestmark = pytest.mark.redis
SCALE = 5 if os.environ.get("LONG") else 1
TROUBLES = ("flush", "restart", "freeze") * 3


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that other users may enter, for the service may run as one."""
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    folder.chmod(0o755)
    yield folder
    if "KEEP" not in os.environ:
        shutil.rmtree(folder)


def weathered(name: str, storm: Storm, rage: Callable[[Storm], None] = Storm.rage) -> dict[str, object]:
    """The figures of a storm in which the service kept its word."""
    began = time.monotonic()
    rage(storm)
    calm, asked = storm.calm()
    storm.fleet.stop()
    found = storm.verdict()
    given = figures.of(storm, found, calm=calm, asked=asked, seconds=time.monotonic() - began)
    figures.keep(name, given)
    assert found.wrong == []
    assert storm.fleet.fell == [], "processes ended by themselves"
    assert (found.duplicates, found.lost, found.false) == (0, 0, 0)
    return given


@pytest.mark.storm
@pytest.mark.timeout(400 * SCALE)
def test_five_hundred_kills_leave_nothing_twice_lost_or_false(home: Path) -> None:
    """60 accounts of all classes, 2,040 shares, answers lost, Redis flushed, killed and frozen three times each."""
    weather = Weather(
        seconds=115 * SCALE, posts=34 * SCALE, kills=500 * SCALE, publisher_kills=17 * SCALE, redis=TROUBLES * SCALE
    )
    with place(home, each=20) as where, fleet(where.home, workers=4, dispatchers=2) as members:
        storm = Storm(place=where, fleet=members, weather=weather)
        given = weathered("storm on SQLite", storm)
    assert sum(members.kills.values()) >= 500 * SCALE
    assert given["shares"] == 2040 * SCALE


@pytest.mark.storm
@pytest.mark.postgres
@pytest.mark.timeout(200 * SCALE)
def test_the_same_holds_on_postgresql(home: Path, postgres_url: str) -> None:
    weather = Weather(seconds=25 * SCALE, posts=10 * SCALE, kills=80 * SCALE, redis=("flush", "restart"))
    with (
        place(home, each=10, database=fresh_database(postgres_url)) as where,
        fleet(where.home, workers=4, dispatchers=2) as members,
    ):
        weathered("storm on PostgreSQL", Storm(place=where, fleet=members, weather=weather))


def fresh_database(server: str) -> str:
    """The address of an empty one."""
    name = f"storm{uuid.uuid4().hex}"
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return f"{server.rsplit('/', 1)[0]}/{name}"


@pytest.mark.timeout(200)
def test_a_worker_that_sleeps_past_its_lease_and_wakes_posts_nothing_again(home: Path) -> None:
    chance, rounds, lease = random.Random("sleep"), 10, 2.0  # noqa: S311 - the same naps again, not a secret

    def naps() -> Iterator[tuple[float, Callable[[], object]]]:
        for number in range(rounds):
            at = 1 + number * (lease + 1.3)
            yield at + chance.random() * 0.3, lambda: members.put_to_sleep(chance, 2)
            yield at + lease + 1, members.wake

    weather = Weather(seconds=rounds * (lease + 1.3), posts=40)
    with place(home, each=4, lease=lease) as where, fleet(where.home, workers=4, dispatchers=2) as members:
        storm = Storm(place=where, fleet=members, weather=weather)
        weathered("sleepers", storm, lambda it: it.rage(naps()))
    assert members.sleeps == 2 * rounds


@pytest.mark.timeout(200)
def test_five_dispatchers_side_by_side_hand_over_what_is_sent_once(home: Path) -> None:
    with place(home, each=8) as where, fleet(where.home, workers=2, dispatchers=5) as members:
        weathered("five dispatchers", Storm(place=where, fleet=members, weather=Weather(seconds=12, posts=12)))


@pytest.mark.timeout(200)
def test_a_database_that_is_locked_for_thirty_seconds_loses_and_doubles_nothing(home: Path) -> None:
    """Workers and dispatchers are killed meanwhile, and others begin in their place."""
    chance = random.Random("lock")  # noqa: S311 - the same victims again, not a secret
    kills = [(at, lambda: members.kill(chance)) for at in (6.0, 8.0, 10.0, 12.0)]
    with ExitStack() as held:

        def lock() -> None:
            other = held.enter_context(closing(sqlite3.connect(home / "data/reverberate.db", isolation_level=None)))
            other.execute("BEGIN EXCLUSIVE")

        with place(home, each=4) as where, fleet(where.home, workers=2, dispatchers=2) as members:
            storm = Storm(place=where, fleet=members, weather=Weather(seconds=38, posts=24))
            weathered("database locked", storm, lambda it: it.rage([(4.0, lock), (34.0, held.close), *kills]))


@pytest.mark.timeout(200)
def test_a_full_disk_loses_and_doubles_nothing(home: Path) -> None:
    """No process of the service can write to any file for eight seconds."""

    def room(size: int) -> None:
        for pid in members.pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    full = iter([(4.0, lambda: room(0)), (12.0, lambda: room(resource.RLIM_INFINITY))])
    with place(home, each=4) as where, fleet(where.home, workers=2, dispatchers=2) as members:
        storm = Storm(place=where, fleet=members, weather=Weather(seconds=16, posts=16))
        weathered("disk full", storm, lambda it: it.rage(full))


@pytest.mark.timeout(200)
def test_a_database_file_that_is_read_only_for_a_while_loses_and_doubles_nothing(home: Path) -> None:
    """Nothing is sent that cannot be written down first; begun again with the right given back, all arrives."""
    with place(home, each=4, humble=True) as where, fleet(where.home, workers=0, dispatchers=0) as members:
        storm = Storm(place=where, fleet=members, weather=Weather(seconds=1, posts=3))
        weathered("database read-only", storm, read_only)


def read_only(storm: Storm) -> None:
    """Publish, take the right to write away, let the service begin, give the right back, begin again."""
    storm.rage()
    until(lambda: not publishing(storm.fleet), 20)
    database = storm.place.home.folder / "data" / "reverberate.db"
    assert storm.fleet.fell == []
    database.chmod(0o444)
    storm.fleet.wanted |= {"worker": 2, "dispatcher": 1}
    storm.fleet.tend()
    time.sleep(6)
    assert accepted(storm.place) == 0
    storm.fleet.stop()
    for file in database.parent.glob(f"{database.name}*"):  # what SQLite made beside it has its mode
        file.chmod(0o644)
    storm.fleet.tend()


def publishing(members: Fleet) -> bool:
    members.tend()
    return members.publishing


def accepted(where: Place) -> int:
    return len(where.accepted())
