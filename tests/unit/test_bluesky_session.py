"""Twenty threads whose session is over renew it once: a refresh token works one time only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import requests

from reverberate.networks.bluesky import Bluesky, BlueskySettings, _Expired
from reverberate.secrets import Secret
from support.world import at_once

if TYPE_CHECKING:
    import pytest


class Served(Bluesky):
    """A Bluesky whose server lives in this object."""

    calls: list[str]
    generation = 0
    barrier: threading.Barrier

    def call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        name = url.rpartition("/")[2]
        bearer = kwargs.get("headers", {}).get("Authorization", "").removeprefix("Bearer ")
        if name in {"com.atproto.server.createSession", "com.atproto.server.refreshSession"}:
            self.calls.append(f"{name} {bearer}")
            self.generation += 1
            return answer(
                f'{{"did": "did:a", "handle": "h", "accessJwt": "access {self.generation}", '
                f'"refreshJwt": "refresh {self.generation}"}}'
            )
        if bearer == "access 1":
            self.barrier.wait(5)  # all have sent with the old one before the first hears of it
            raise _Expired("expired")
        return answer(f'{{"bearer": "{bearer}", "method": "{method}"}}')


def answer(body: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = 200, body.encode()
    return response


def test_one_refresh_for_twenty_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    network = Served("a", BlueskySettings(handle="h", app_password=Secret("env", "APP_PASSWORD")))
    network.calls, network.barrier = [], threading.Barrier(20)
    answers = at_once(lambda: network.api("GET", "x").json()["bearer"])

    assert answers == ["access 2"] * 20
    assert network.calls == [
        "com.atproto.server.createSession ",
        "com.atproto.server.refreshSession refresh 1",
    ]
