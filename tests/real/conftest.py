"""The servers, each started once for the whole run. They are fetched by tools/servers.sh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import real

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def snac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Site]:
    """snac, which speaks Mastodon's API."""
    with real.snac(tmp_path_factory.mktemp("snac")) as site:
        yield site


@pytest.fixture(scope="session")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Site]:
    """A Bluesky PDS."""
    with real.bluesky(tmp_path_factory.mktemp("pds")) as site:
        yield site


@pytest.fixture(scope="session")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Site]:
    """A WordPress site."""
    with real.wordpress(tmp_path_factory.mktemp("wordpress")) as site:
        yield site
