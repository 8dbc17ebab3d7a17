"""What ten thousand feeds and a thousand accounts cost a dispatcher, and those who ask, beside ten of each."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from large import beside, new_post, say

from reverberate import preflight
from reverberate.config import SourceConfig
from reverberate.config_tables import Evergreen
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.evergreen import plan_again
from reverberate.front import Front
from reverberate.service import Service
from reverberate.store import Store, journal
from reverberate.web.metrics import exposition
from support.plugins import SOURCES
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR = timedelta(hours=1)


def main() -> None:
    """Measure and print."""
    say(
        "SQLite: milliseconds with ten thousand feeds and a thousand accounts: median, p95 | with ten of each: the same"
    )
    with crowd(10, 10) as few, crowd(10_000, 1000) as lots:
        for what, do in THINGS.items():
            beside(what, partial(do, *few), partial(do, *lots))


@contextmanager
def crowd(feeds: int, accounts: int) -> Iterator[tuple[Service, Dispatcher]]:
    """A dispatcher of so many feeds, none of which is to be looked at now, and evergreen accounts."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/crowd.db")
        config = make_config([f"a{number}" for number in range(accounts)], evergreen=Evergreen(after=["30d"]))
        names = [f"s{number}" for number in range(feeds)]
        sources = {name: SourceConfig(name=name, type="toy", settings=None, every=HOUR) for name in names}
        service = Service(replace(config, sources=sources), store, make_accounts(config), sources=SOURCES)
        with store.write() as tx:
            journal.register_sources(tx, names, now=datetime.now(UTC) + HOUR)
        plan_again(service)  # the first time, it takes note of every account
        dispatcher = Dispatcher(service, lambda _ids: None, LocalBell())
        dispatcher.step()  # the first one begins what is done aside
        yield service, dispatcher
        dispatcher.stop()
        dispatcher.run()  # ends its threads
        store.close()


def step(_service: Service, dispatcher: Dispatcher) -> None:
    """One, with its looks at what is due."""
    dispatcher._swept = 0.0  # noqa: SLF001 - else it looks once a second
    dispatcher.step()


def publish(service: Service, _dispatcher: Dispatcher) -> None:
    """A new post, on every account."""
    service.publish(new_post())


THINGS: dict[str, Callable[[Service, Dispatcher], object]] = {
    "a dispatcher's step": step,
    "aside: whom to ask before a share": lambda service, _: preflight.look(service, now=service.now),
    "aside: what is to be shared again": lambda service, _: plan_again(service),
    "planning a post on every account": publish,
    "the one screen": lambda service, _: Front(service).status(),
    "metrics": lambda service, _: exposition(service),
}

if __name__ == "__main__":
    main()
