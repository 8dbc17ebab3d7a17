"""The web door: health, metrics and status, and nothing that is anybody's business."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.errors import ReverberateError
from reverberate.service import Service
from reverberate.store import journal
from reverberate.web import serve
from support.plugins import SOURCES
from support.servers import free_port
from support.world import make_accounts, make_config, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.store import Store


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    config = make_config(["a", "b"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    with serve(service, listen=f"127.0.0.1:{free_port()}") as url:
        yield url


def test_it_is_healthy_while_the_database_answers(address: str) -> None:
    answer = requests.get(f"{address}/healthz", timeout=5)

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_metrics_are_in_prometheus_words(store: Store, address: str) -> None:
    plan(store, accounts=["a"], number=3)
    with store.write() as tx:
        journal.pause(tx, "b", now=datetime.now(UTC), why="revoked")
    text = requests.get(f"{address}/metrics", timeout=5).text

    assert 'reverberate_shares{account="a",state="scheduled"} 3.0' in text
    assert 'reverberate_account_paused{account="b"} 1.0' in text
    assert 'reverberate_account_paused{account="a"} 0.0' in text
    assert "reverberate_lateness_seconds" in text


def test_status_tells_states_and_numbers_and_no_post(store: Store, address: str) -> None:
    plan(store, accounts=["a"], title="A title that is nobody's business")
    answer = requests.get(f"{address}/status.json", timeout=5)

    assert answer.json()["accounts"][0]["shares"] == {"scheduled": 1}
    assert "business" not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/healthz"), ("GET", "/../etc/passwd")])
def test_nothing_else_is_there(address: str, method: str, path: str) -> None:
    assert requests.request(method, address + path, timeout=5).status_code in {404, 405}


def test_an_address_that_is_taken_is_said(store: Store, address: str) -> None:
    config = make_config(["a"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)

    with (
        pytest.raises(ReverberateError, match="cannot listen on"),
        serve(service, listen=address.removeprefix("http://")),
    ):
        pass
