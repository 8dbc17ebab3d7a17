"""The HTTP API of a small world, asked over a real socket."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests

from reverberate.model import Scope
from reverberate.service import Service
from reverberate.store import tokens
from reverberate.web import serve
from reverberate.web.guard import Limits
from reverberate.web.limits import Rate
from support.plugins import SOURCES
from support.servers import free_port
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverberate.config import Config
    from reverberate.store import Store

UNLIMITED = Limits(token=Rate(1e6, 1_000_000), strangers=Rate(1e6, 1_000_000))
POST = {"url": "https://blog.example/one", "title": "One", "summary": "What it says."}


@dataclass
class Api:
    """An API at an address, and a token of each scope."""

    address: str
    tokens: Mapping[Scope, str]
    rung: list[None] = field(default_factory=list)

    def ask(self, method: str, path: str, *, scope: Scope | None = Scope.ADMIN, **more: Any) -> requests.Response:
        """One request, with the token of that scope or with none."""
        headers = {"Authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
        headers |= more.pop("headers", {})
        return requests.request(method, self.address + path, headers=headers, timeout=20, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What a GET brings; it must be fine."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, **more: Any) -> Any:
        """What a POST brings; it must be fine."""
        answer = self.ask("POST", path, json=body, **more)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


def make_tokens(store: Store) -> dict[Scope, str]:
    """A token of each scope."""
    with store.write() as tx:
        return {scope: tokens.create(tx, f"{scope}-er", scope, now=datetime.now(UTC)) for scope in Scope}


@contextmanager
def serving(store: Store, *, config: Config | None = None, limits: Limits = UNLIMITED) -> Iterator[Api]:
    """An API on this store with toy accounts a and b, until the block ends."""
    config = config or make_config(["a", "b"])
    service = Service(config, store, make_accounts(config), sources=SOURCES)
    rung: list[None] = []
    with serve(service, listen=f"127.0.0.1:{free_port()}", ring=lambda: rung.append(None), limits=limits) as address:
        yield Api(address, make_tokens(store), rung)
