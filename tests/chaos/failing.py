"""One life of the whole service in a process of its own, which may be told where to die."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from chaos.ledger import CLASSES, Settings
from reverberate import delivery, dispatcher, failpoints
from reverberate.accounts import Accounts
from reverberate.config import Account, Config, Service, Site
from reverberate.delivery import Courier
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.model import Message, Post, ShareState
from reverberate.rendering import Draft, Voice
from reverberate.runtime import _running
from reverberate.service import Service as Story
from reverberate.stopping import Stopping
from reverberate.store import Store, claims, shares
from support.plugins import SOURCES, FakePlugins

POST = Post(url="https://blog.example/a", title="A post", guid="a")
WAITS = (timedelta(seconds=0.1),) * 20
OPEN = {ShareState.SCHEDULED, ShareState.SENDING}


class Renderer:
    """Threads of three parts where the network has them."""

    def draft(self, post: Post, voice: Voice) -> Draft:
        parts = tuple(f"{post.title} {n} on {voice.account}" for n in range(3 if voice.threads else 1))
        return Draft(message=Message(parts=parts, link=post.url), template="t")


def live(folder: str, url: str, kind: str, point: str, seconds: float) -> None:
    """Publish, dispatch and deliver until every share has come to rest; die at ``point`` if that is reached before."""
    failpoints.doom(point)
    delivery.LEASE, delivery.HEARTBEAT, delivery.MARGIN = timedelta(seconds=0.6), 0.2, 0.0
    dispatcher.SWEEP, claims.RING_AGAIN = 0.05, timedelta(seconds=0.6)
    settings = Settings(api_base=url)
    account = Account(name=kind, network=kind, settings=settings, retry=WAITS)
    config = Config(
        path=Path(folder) / "reverberate.toml", site=Site(), service=Service(), accounts={kind: account}, sources={}
    )
    store = Store(f"sqlite:///{folder}/r.db")
    accounts = Accounts(config, Renderer(), networks=FakePlugins(**CLASSES))  # type: ignore[arg-type]  # by its methods
    story = Story(config, store, accounts, sources=SOURCES)
    courier, deadline = Courier(store, accounts, senders=2), time.monotonic() + seconds
    bell = LocalBell()
    with _running(Dispatcher(story, courier.deliver, bell), Stopping()):
        story.publish(POST)
        bell.ring()
        while time.monotonic() < deadline and not _at_rest(store):
            time.sleep(0.02)
    courier.close()
    store.close()


def _at_rest(store: Store) -> bool:
    with store.read() as tx:
        found = shares.find(tx)
    return bool(found) and all(one.wake is None and one.lease is None and one.state not in OPEN for one in found)
