"""A store on both databases, and couriers on it."""

from __future__ import annotations

import shutil
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from reverberate.delivery import Courier
from reverberate.store import Store
from support.plugins import NETWORKS, Toy
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, its schema made once for the whole run; tests get copies."""
    path = tmp_path_factory.mktemp("model") / "reverberate.db"
    Store(f"sqlite:///{path}").close()  # the last connection to go empties the log beside the file
    return path


@pytest.fixture(scope="session")
def postgres_model(postgres_url: str) -> str:
    """The same on PostgreSQL: a database's name."""
    _ask_postgres(postgres_url, "CREATE DATABASE model")
    Store(f"{postgres_url.rsplit('/', 1)[0]}/model").close()
    return "model"


def _ask_postgres(server: str, command: str) -> None:
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(command))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        path = tmp_path / "reverberate.db"
        shutil.copyfile(request.getfixturevalue("sqlite_model"), path)
        return f"sqlite:///{path}"
    server: str = request.getfixturevalue("postgres_url")
    name = f"t{uuid.uuid4().hex}"
    _ask_postgres(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_model')}")
    return f"{server.rsplit('/', 1)[0]}/{name}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store on an empty database."""
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> type[Toy]:
    """A toy network of this test's own."""

    class Own(Toy):
        script = []
        accepted = []
        shows = True
        settle = timedelta(0)

    monkeypatch.setitem(NETWORKS._loaded, "toy", Own)
    return Own


@pytest.fixture
def courier(store: Store) -> Iterator[Callable[..., Courier]]:
    """Couriers with the given accounts, closed afterwards."""
    made: list[Courier] = []

    def make(*names: str, **more: object) -> Courier:
        made.append(Courier(store, make_accounts(make_config(names or ("a", "b", "c"), **more)), senders=8))
        return made[-1]

    yield make
    for one in made:
        one.close()
