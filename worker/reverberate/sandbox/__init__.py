"""The sandbox: networks on your own machine, for rehearsing and for tests.

One server speaks the networks' APIs well enough for the real clients, keeps what it accepted in a ledger, and shows it
as timelines. Its accounts need no registration: their keys are drawn from a seed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, Self

from reverberate.sandbox import pages
from reverberate.sandbox.bluesky import Bluesky
from reverberate.sandbox.facebook import Facebook
from reverberate.sandbox.keys import credentials, settings
from reverberate.sandbox.ledger import Entry, Ledger
from reverberate.sandbox.mastodon import Mastodon
from reverberate.sandbox.server import Answer, Server
from reverberate.sandbox.twitter import Twitter

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from reverberate.sandbox.server import Request

__all__ = ["Entry", "Ledger", "Sandbox", "credentials", "settings"]


class Personality(Protocol):
    """One network, as its clients see it."""

    def answer(self, request: Request, path: str) -> Answer:
        """What it says to a request whose path, without the network's own prefix, is ``path``."""


class Sandbox:
    """All sandbox networks in one server on the loopback interface.

    Args:
        folder: where the ledger lies (``ledger.jsonl``); what it holds already is there again.
        port: 0 for any free one.
        seed: the accounts' keys are drawn from it.
        fsync: whether an accepted post is on the disk, not only in the system's hands, before its answer leaves.
    """

    def __init__(self, folder: Path, *, seed: str, host: str = "127.0.0.1", port: int = 0, fsync: bool = False) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl", fsync=fsync)
        self._networks: dict[str, Personality] = {
            "twitter": Twitter(seed, self.ledger),
            "facebook": Facebook(seed, self.ledger),
            "mastodon": Mastodon(seed, self.ledger),
            "bluesky": Bluesky(seed, self.ledger),
        }
        self._server = Server(self._answer, host=host, port=port)
        self.url = self._server.url

    def start(self) -> None:
        """Serve from now on."""
        self._server.start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.stop()
        self.ledger.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        network, _, rest = request.path.strip("/").partition("/")
        if network in self._networks:
            return self._networks[network].answer(request, f"/{rest}")
        if request.method not in {"GET", "HEAD"}:
            return Answer.of({"error": "not found"}, 404)
        if request.path == "/ledger.json":
            return Answer.of([asdict(entry) for entry in self.ledger.of()])
        if request.path == "/":
            return Answer.html(pages.timelines(self.ledger.of()))
        if network == "web":
            return self._page(request)
        return Answer.html(pages.nothing(), 404)

    def _page(self, request: Request) -> Answer:
        """A post's own page, at its permalink."""
        for entry in self.ledger.of():
            if entry.permalink.endswith(request.path):
                return Answer.html(pages.permalink(entry))
        return Answer.html(pages.nothing(), 404)
