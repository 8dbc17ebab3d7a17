"""Fixtures that every suite may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from support.servers import RedisServer, postgresql, redis_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# of what holds for any input, a few show that nothing is broken; `make simulation` tries many
settings.register_profile(
    "ours", settings(), max_examples=int(os.environ.get("REVERBERATE_EXAMPLES", "25")), deadline=None
)
settings.load_profile("ours")


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
