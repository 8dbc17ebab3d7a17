"""The web door: health, metrics and status, and nothing that is anybody's business."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.errors import ReverberateError
from reverberate.model import Picture
from reverberate.service import Service
from reverberate.store import journal, pictures
from reverberate.web import _bound, serve
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


def test_no_answer_waits_for_the_callers_acknowledgement() -> None:
    with _bound(f"127.0.0.1:{free_port()}") as listening:
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


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
    assert requests.request(method, address + path, timeout=5).status_code in {401, 404, 405}


def keep(store: Store, digest: str, mime: str, data: bytes) -> None:
    with store.write() as tx:
        picture = Picture(digest=digest, mime=mime, width=1, height=1, size=len(data))
        pictures.keep(tx, picture, data, now=datetime.now(UTC))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_is_served_to_who_knows_its_digest(store: Store, address: str, method: str) -> None:
    keep(store, "a" * 64, "image/jpeg", b"\xff\xd8\xff picture")
    answer = requests.request(method, f"{address}/pictures/{'a' * 64}", timeout=5)

    assert answer.status_code == 200
    assert answer.content == (b"\xff\xd8\xff picture" if method == "GET" else b"")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == "11"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["", "/", f"/{'b' * 64}", f"/{'a' * 63}", f"/{'A' * 64}", f"/{'a' * 64}/", "/%25", "/.."]
)
def test_no_other_picture_and_no_list_of_them_is_served(store: Store, address: str, path: str) -> None:
    keep(store, "a" * 64, "image/jpeg", b"picture")
    answer = requests.get(f"{address}/pictures{path}", timeout=5, allow_redirects=False)

    assert answer.status_code in {307, 401, 404}
    assert b"picture" not in answer.content or answer.content == b"there is no such picture\n"


def test_what_is_no_picture_is_never_served(store: Store, address: str) -> None:
    keep(store, "c" * 64, "text/html", b"<script>")

    assert requests.get(f"{address}/pictures/{'c' * 64}", timeout=5).status_code == 404


def test_an_address_that_is_taken_is_said(store: Store, address: str) -> None:
    config = make_config(["a"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)

    with (
        pytest.raises(ReverberateError, match="cannot listen on"),
        serve(service, listen=address.removeprefix("http://")),
    ):
        pass
