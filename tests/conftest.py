"""Fixtures that every suite may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.servers import RedisServer, postgresql, redis_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole run."""
    with postgresql() as url:
        yield url


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of this test's own."""
    server = RedisServer(tmp_path, redis_program())
    server.start()
    try:
        yield server
    finally:
        server.kill()
