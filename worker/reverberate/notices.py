"""Telling a person: events become notices, notices go out, and what fails is tried again. It never delays a share."""

from __future__ import annotations

import logging
import random
import threading
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from reverberate.alerts import Group, commands, headline, letter
from reverberate.channels import Mail, NotSent, channel
from reverberate.errors import ReverberateError, StoreError
from reverberate.failpoints import reach
from reverberate.policy import WAITS
from reverberate.store import outbox
from reverberate.store.outbox import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.config import Config
    from reverberate.store import Store
    from reverberate.store.outbox import Notice

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
"""How long a claimed notice is in one sender's hands: longer than any channel may take."""
TICK = 1.0
"""Seconds between two looks."""


class Notices:
    """The notices of one config and one store."""

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._config, self._store, self._now, self._chance = config, store, now, chance
        self._channels = {name: channel(table) for name, table in config.notices.items()}
        self._wishes = [
            Wish(channel=name, on=frozenset(table.on), gather=table.gather, every=table.every)
            for name, table in config.notices.items()
        ]

    def gather(self) -> int:
        """Make notices of the events that wait; how many events there were."""
        with self._store.read() as tx:
            if not outbox.any_untold(tx):
                return 0
        with self._store.write() as tx:
            taken = outbox.take(tx, self._wishes, now=self._now())
            reach("notices: before commit")
        reach("notices: after commit")
        return taken

    def send_due(self, name: str) -> bool:
        """Send the channel's first notice if it is due; whether there was one."""
        now = self._now()
        with self._store.read() as tx:
            due = outbox.next_due(tx, name)
        if due is None or due > now:
            return False
        with self._store.write() as tx:
            notice = outbox.claim(tx, name, now=now, lease=now + LEASE)
        if notice is None:
            return False
        reach("notices: claimed")
        self._send(notice)
        return True

    def _send(self, notice: Notice) -> None:
        try:
            self._channels[notice.channel].send(self._mail(notice.key, notice.groups))
        except NotSent as trouble:
            self._failed(notice, trouble)
            return
        except Exception as error:  # a fault of ours must not send the same again every second
            log.exception("the channel %s failed", notice.channel)
            self._failed(notice, NotSent(f"the channel failed: {type(error).__name__}"))
            return
        reach("notices: sent")
        with self._store.write() as tx:
            outbox.arrived(tx, notice.id, now=self._now())
        log.info("notice %d sent to %s", notice.id, notice.channel)

    def _failed(self, notice: Notice, trouble: NotSent) -> None:
        due, words = self._next_try(notice, trouble), trouble.words
        level = logging.WARNING if due else logging.ERROR
        log.log(level, "notice %d to %s: %s%s", notice.id, notice.channel, words, "" if due else "; given up")
        with self._store.write() as tx:
            outbox.failed(tx, notice.id, words=words, due=due)

    def _next_try(self, notice: Notice, trouble: NotSent) -> datetime | None:
        if trouble.gone or notice.tries > len(WAITS):
            return None
        ours = self._now() + WAITS[notice.tries - 1] * (0.5 + self._chance())
        return max(ours, trouble.until or ours)

    def _mail(self, key: str, groups: Sequence[Group]) -> Mail:
        now, link = self._now(), self._config.service.public_url
        said = letter(groups, link=link, now=now)
        data = {"title": said.title, "text": said.text, "link": link, "groups": [_plain(g) for g in groups[:20]]}
        return Mail(key=key, title=said.title, text=said.text, now=now, data=data)

    def test(self, name: str) -> None:
        """Send a notice to the channel now.

        Raises:
            ReverberateError: there is no such channel, or it does not take it.
        """
        if name not in self._channels:
            known = ", ".join(self._channels) or "none"
            raise ReverberateError(f"no [notices.{name}] in {self._config.path}", hint=f"there are: {known}")
        now = self._now()
        text = f"This is a test. {name} works: troubles will be told here.\n"
        data = {"title": "Reverberate: a test", "text": text, "link": self._config.service.public_url, "groups": []}
        mail = Mail(key=f"test_{uuid.uuid4().hex}", title="Reverberate: a test", text=text, now=now, data=data)
        try:
            self._channels[name].send(mail)
        except NotSent as trouble:
            raise ReverberateError(f"[notices.{name}]: {trouble.words}") from None

    def drop_closed(self) -> None:
        """Give up what waits for channels that the config no longer knows."""
        names = list(self._channels)
        with self._store.read() as tx:
            if not outbox.any_closed(tx, names):
                return
        with self._store.write() as tx:
            outbox.drop_closed(tx, names)


class Teller:
    """Gathers, and sends on each channel, in ``threads`` of their own: a channel that hangs delays no other.

    They end when ``stop`` is set; what is on its way then is tried again by whoever comes next.
    """

    def __init__(self, notices: Notices, channels: Sequence[str], *, stop: threading.Event) -> None:
        self._notices, self._stop = notices, stop
        self._tidy = False
        self.threads = [self._thread("notices", self._gather)]
        self.threads += [self._thread(f"notices to {name}", partial(self._send, name)) for name in channels]
        for thread in self.threads:
            thread.start()

    def _thread(self, name: str, step: Callable[[], Any]) -> threading.Thread:
        return threading.Thread(target=self._run, args=(step,), name=name, daemon=True)

    def _run(self, step: Callable[[], Any]) -> None:
        while not self._stop.wait(TICK):
            try:
                step()
            except StoreError as error:
                log.warning("notices wait for the database: %s", error)
                self._stop.wait(2)
            except Exception:
                log.exception("telling of troubles failed; it goes on")
                self._stop.wait(30)

    def _gather(self) -> None:
        if not self._tidy:
            self._notices.drop_closed()
            self._tidy = True
        while self._notices.gather() and not self._stop.is_set():
            pass

    def _send(self, name: str) -> None:
        while self._notices.send_due(name) and not self._stop.is_set():
            pass


def _plain(group: Group) -> dict[str, Any]:
    """A group as JSON values."""
    return {
        "kind": group.kind,
        "headline": headline(group),
        "account": group.account,
        "source": group.source,
        "over": group.over,
        "since": group.since.isoformat(),
        "last": group.last.isoformat(),
        "count": group.count,
        "words": group.words,
        "shares": list(group.shares),
        "commands": list(commands(group)),
    }


def show(notice: Notice) -> dict[str, Any]:
    """A notice, for a listing."""
    return {
        "id": notice.id,
        "channel": notice.channel,
        "made": notice.made.isoformat(timespec="seconds"),
        "state": "sent" if notice.sent else "waits" if notice.due else "given up",
        "sent": notice.sent and notice.sent.isoformat(timespec="seconds"),
        "due": notice.due and notice.due.isoformat(timespec="seconds"),
        "tries": notice.tries,
        "trouble": notice.words,
        "about": "; ".join(headline(group) for group in notice.groups),
    }
