"""One life of a service that rewords or takes back what is out, in a process of its own, which may be told where to die."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.ledger import CLASSES, Settings
from reverberate import delivery, dispatcher, failpoints
from reverberate.accounts import Accounts
from reverberate.chores import ask
from reverberate.config import Account, Config, Service, Site
from reverberate.delivery import Courier
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.runtime import _running
from reverberate.service import Service as Story
from reverberate.stopping import Stopping
from reverberate.store import Store, chores, shares
from support.plugins import SOURCES, FakePlugins
from support.world import PlainRenderer

if TYPE_CHECKING:
    from reverberate.model import Chore

WAITS = (timedelta(seconds=0.1),) * 20


def live(folder: str, url: str, asked: tuple[str, str], point: str, seconds: float) -> None:
    """Ask for a chore (its kind, and the words of an edit) and do it, to its end; die at ``point`` if that is reached before."""
    failpoints.doom(point)
    delivery.LEASE, delivery.HEARTBEAT, delivery.MARGIN = timedelta(seconds=0.3), 0.1, 0.0
    dispatcher.SWEEP, chores.AGAIN = 0.05, timedelta(seconds=0.1)
    store, deadline = Store(f"sqlite:///{folder}/r.db"), time.monotonic() + seconds
    with store.read() as tx:
        (share,) = shares.find(tx)
    accounts = made_accounts(folder, url, share.account)
    if not any((one.kind, one.text) == asked for one in known(store)):
        ask(store, accounts, share.id, asked[0], text=asked[1], now=datetime.now(UTC))
    courier = Courier(store, accounts, senders=2)
    story = Story(accounts._config, store, accounts, sources=SOURCES)
    with _running(Dispatcher(story, courier.deliver, LocalBell()), Stopping()):
        while time.monotonic() < deadline and any(one.ended is None for one in known(store)):
            time.sleep(0.02)
    courier.close()
    store.close()


def made_accounts(folder: str, url: str, kind: str) -> Accounts:
    """One account, of a class of networks whose name it bears."""
    account = Account(name=kind, network=kind, settings=Settings(api_base=url), retry=WAITS)
    where = Path(folder) / "reverberate.toml"
    config = Config(path=where, site=Site(), service=Service(), accounts={kind: account}, sources={})
    return Accounts(config, PlainRenderer(), networks=FakePlugins(**CLASSES))  # type: ignore[arg-type]  # by its methods


def known(store: Store) -> list[Chore]:
    """All that was ever to be done about the share."""
    with store.read() as tx:
        (share,) = shares.find(tx)
        return chores.of_share(tx, share.id)
