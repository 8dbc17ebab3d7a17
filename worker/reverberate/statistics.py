"""What people made of your posts: asked of the networks ever more seldom, within budgets, and added up."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate.errors import Outcome, Refused, ReverberateError
from reverberate.networks.base import Counts
from reverberate.schedule import Pace
from reverberate.store import reactions
from reverberate.store.tables_watch import COUNTED

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from reverberate.accounts import Accounts
    from reverberate.model import Reactions
    from reverberate.networks.base import Network
    from reverberate.service import Service
    from reverberate.store import Store
    from reverberate.store.reactions import Question, Row

log = logging.getLogger(__name__)
ASKS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 168, 720))
"""How long after a share was sent its network is asked."""
LEASE = timedelta(minutes=10)
"""A question that has not been answered by then is asked anew."""
AGAIN = timedelta(hours=1)
"""When a question is asked anew that the network could not answer."""
FEW = 50
"""Questions taken at once."""


def next_ask(sent: datetime, *, now: datetime) -> datetime | None:
    """When to ask next what people made of a post; None when it is too old to be worth it."""
    return next((sent + after for after in ASKS if sent + after > now), None)


class Statistics:
    """Asks the networks of one store's shares."""

    every = timedelta(seconds=20)

    def __init__(
        self, store: Store, accounts: Accounts, *, per_hour: int = 60, now: Callable[[], datetime] | None = None
    ) -> None:
        self._store, self._accounts, self._now = store, accounts, now or (lambda: datetime.now(UTC))
        self._pace = Pace(timedelta(hours=1) / per_hour, per_hour)
        self._networks: dict[str, Network] = {}  # our own: a sender's session is its own

    def run(self, stop: threading.Event) -> None:
        """Ask all that is due, unless stopped meanwhile."""
        while questions := self.take():
            for question in questions:
                if stop.is_set():
                    return
                self.ask(question)

    def take(self) -> list[Question]:
        """The questions to ask now."""
        now = self._now()
        with self._store.read() as tx:
            if not reactions.any_due(tx, now=now):
                return []
        with self._store.write() as tx:
            return reactions.take(tx, now=now, lease=now + LEASE, limit=FEW, pace=self._allowed)

    def _allowed(self, account: str) -> Pace | None:
        """How often the account's network may be asked; None where it cannot or should not be."""
        try:
            wanted, kind = self._accounts.get(account).statistics, self._accounts.kind(account)
        except ReverberateError:
            return None
        asked = kind.counting if wanted is None else wanted
        return self._pace if asked and issubclass(kind, Counts) else None

    def ask(self, question: Question) -> None:
        """Ask one, and keep the answer."""
        now = self._now()
        try:
            found = self._told(question)
        except (Outcome, ReverberateError) as error:
            gone = isinstance(error, Refused) and error.status in {404, 410}
            again = None if gone or now - question.sent > ASKS[-1] + AGAIN else now + AGAIN
            log.info("share %d: its reactions cannot be read: %s", question.share_id, error)
            with self._store.write() as tx:
                reactions.ask_again(tx, question.share_id, at=again)
            return
        with self._store.write() as tx:
            reactions.record(tx, question, found, now=now, again=next_ask(question.sent, now=now))

    def _told(self, question: Question) -> Reactions:
        network = self._networks.get(question.account)
        if network is None:
            network = self._networks[question.account] = self._accounts.another(question.account)
        if not isinstance(network, Counts):
            raise Refused("this network does not count reactions", status=404)
        try:
            return network.reactions(question.receipt)
        except Outcome:
            raise
        except Exception as error:
            log.exception("the plug-in for %s failed to count", network.name)
            raise Refused(f"the plug-in failed to count: {type(error).__name__}") from None


def report(service: Service, *, since: datetime, account: str = "", limit: int = 50) -> dict[str, Any]:
    """Reactions by account, by post (the most liked first, so many) and by the hour at which shares were sent, on the site's clock.

    Of the shares that were sent since then: it costs what those are, however many there are of before. Sums count what
    was told; ``shares`` is of how many shares anything was.
    """
    with service.store.read() as tx:
        accounts = reactions.by_account(tx, account=account, since=since)
        quarters = reactions.by_quarter(tx, account=account, since=since)
        posts = reactions.by_post(tx, account=account, since=since, limit=limit)
    return {
        "accounts": [{"account": name, **asdict(accounts[name])} for name in sorted(accounts)],
        "posts": [{"post": number, "title": title, "url": url, **asdict(sums)} for number, title, url, sums in posts],
        "hours": _hours(quarters, service.config.zone),
    }


def _hours(quarters: Iterable[tuple[datetime, tuple[int, ...]]], zone: ZoneInfo) -> list[dict[str, Any]]:
    hours: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for at, sums in quarters:
        hours[at.astimezone(zone).hour].append(sums)
    names = ("shares", *COUNTED)
    return [
        {"hour": hour, **dict(zip(names, map(sum, zip(*hours[hour], strict=True)), strict=True))}
        for hour in sorted(hours)
    ]


def flat(found: Iterable[Row]) -> Iterable[dict[str, Any]]:
    """Rows for CSV and JSON, one a share and time."""
    for row in found:
        told = asdict(row.reactions)
        yield {
            "share": row.share_id,
            "account": row.account,
            "post": row.post_id,
            "title": row.title,
            "url": row.url,
            "permalink": row.permalink,
            "sent": row.sent.isoformat(timespec="seconds"),
            "at": row.at.isoformat(timespec="seconds"),
        } | {name: told[name] for name in COUNTED}
