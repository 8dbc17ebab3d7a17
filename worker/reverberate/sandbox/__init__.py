"""The sandbox: networks on your own machine, for rehearsing and for tests.

One server speaks the networks' APIs well enough for the real clients, keeps what it accepted in a ledger, and shows it
as timelines. Its accounts need no registration: their keys are drawn from a seed. What can go wrong between a client
and a network can be made to go wrong here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from reverberate.sandbox import troubles
from reverberate.sandbox.blobs import Blobs
from reverberate.sandbox.bluesky import Bluesky
from reverberate.sandbox.control import Control
from reverberate.sandbox.discord import Discord
from reverberate.sandbox.exchange import Answer, Exchange
from reverberate.sandbox.facebook import Facebook
from reverberate.sandbox.faults import Dialect, Fault, Kind, Occasion
from reverberate.sandbox.google_business import GoogleBusiness
from reverberate.sandbox.grants import Grants
from reverberate.sandbox.instagram import Instagram
from reverberate.sandbox.keys import credentials, registration, settings
from reverberate.sandbox.ledger import Entry, Ledger
from reverberate.sandbox.linkedin import LinkedIn
from reverberate.sandbox.mastodon import Mastodon
from reverberate.sandbox.personality import Call, Purpose
from reverberate.sandbox.pinterest import Pinterest
from reverberate.sandbox.reddit import Reddit
from reverberate.sandbox.rules import Faults
from reverberate.sandbox.server import Server
from reverberate.sandbox.signin_kin import doors
from reverberate.sandbox.telegram import Telegram
from reverberate.sandbox.threads import Threads
from reverberate.sandbox.tumblr import Tumblr
from reverberate.sandbox.twitter import Twitter
from reverberate.sandbox.webhook import Webhook
from reverberate.sandbox.wordpress import WordPress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.personality import Personality, Route

__all__ = [
    "Dialect",
    "Entry",
    "Fault",
    "Kind",
    "Ledger",
    "Purpose",
    "Sandbox",
    "credentials",
    "registration",
    "settings",
]


SIGN_IN_PAGES = {
    "/oauth/authorize": "/mastodon/oauth/authorize",
    "/web/twitter/i/oauth2/authorize": "/twitter/i/oauth2/authorize",
}
"""Pages that lie where the network's other pages do, and not below its API."""


class Sandbox:
    """All sandbox networks in one server.

    Args:
        folder: where the ledger lies (``ledger.jsonl``) and the pictures; what it holds already is there again.
        seed: the accounts' keys are drawn from it, and when faults happen.
        host: the address to listen at; only this machine's own by default.
        port: 0 for any free one.
        fsync: whether an accepted post is on the disk, not only in the system's hands, before its answer leaves.
        max_characters: how long a status may be on its Mastodon.
        faults: what goes wrong from the start; more can be added to ``faults`` and at ``/faults``.
        people: who signs in at which network, unless another name is typed.
        now: its clock.

    Attributes:
        url: where it listens.
        ledger: what it accepted.
        faults: what goes wrong.
        grants: what its sign-ins gave to whom.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: str,
        host: str = "127.0.0.1",
        port: int = 0,
        fsync: bool = False,
        max_characters: int = 500,
        faults: Iterable[Fault] = (),
        people: Mapping[str, str] = MappingProxyType({}),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ledger = Ledger(folder / "ledger.jsonl", fsync=fsync)
        self._now, blobs = now, Blobs(folder / "blobs")
        self._networks: dict[str, Personality] = {
            "twitter": Twitter(seed, self.ledger),
            "facebook": Facebook(seed, self.ledger, blobs),
            "mastodon": Mastodon(seed, self.ledger, blobs, max_characters=max_characters),
            "bluesky": Bluesky(seed, self.ledger, blobs),
            "wordpress": WordPress(seed, self.ledger, blobs),
            "instagram": Instagram(seed, self.ledger, blobs),
            "threads": Threads(seed, self.ledger, blobs),
            "linkedin": LinkedIn(seed, self.ledger, blobs),
            "google_business": GoogleBusiness(seed, self.ledger, blobs),
            "telegram": Telegram(seed, self.ledger, blobs),
            "discord": Discord(seed, self.ledger, blobs),
            "reddit": Reddit(seed, self.ledger),
            "tumblr": Tumblr(seed, self.ledger, blobs),
            "pinterest": Pinterest(seed, self.ledger, blobs),
            "webhook": Webhook(seed, self.ledger),
        }
        self.grants = Grants(folder / "grants.jsonl", seed=seed, now=now)
        self._doors: dict[str, list[Personality]] = {}
        for name, network in self._networks.items():
            network.grants = self.grants
            self._doors[name] = doors(network, self.grants, person=people.get(name, "you"))
        self.faults = Faults(seed=seed, networks=self._networks)
        for fault in faults:
            self.faults.add(fault)
        self._control = Control(self.ledger, self.faults, self._networks, blobs, now=now)
        self._server = Server(self._begin, admits=lambda: not self.faults.refuses(), host=host, port=port)
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

    def _begin(self, head: Request) -> Exchange:
        """Decide what becomes of a request of which only the head is known."""
        name, _, rest = SIGN_IN_PAGES.get(head.path, head.path).lstrip("/").partition("/")
        if name not in self._networks:
            return Exchange(self._control.answer)
        network, route, parts = self._found(name, head.method, f"/{rest}")
        now = self._now()
        purpose = route.purpose if route else Purpose.OTHER
        drawn = self.faults.draw(Occasion(name, network.account_of(head), purpose), now=now)

        def answer(request: Request) -> Answer:
            account = network.account_of(request)
            call = Call(request=request, parts=parts, account=account, view=troubles.view(drawn, now=now))
            if refusal := troubles.instead(drawn, network, call):
                return refusal
            return troubles.afterwards(drawn, network.answer(route, call), network, now=now)

        return Exchange(answer, cut=troubles.cut(drawn, head))

    def _found(self, name: str, method: str, path: str) -> tuple[Personality, Route | None, tuple[str, ...]]:
        """Who answers: where one signs in at a network, or the network itself."""
        for door in self._doors[name]:
            route, parts = door.route(method, path)
            if route is not None:
                return door, route, parts
        return self._networks[name], *self._networks[name].route(method, path)
