"""Sign-ins that stay alive: tokens are revealed, refreshed ahead of time by one for all, or given up with a reason.

The database row is the truth. Whoever finds a token due takes a lease on its row, asks the vendor, and writes what came
only if the row is still the one he began with; a refresh token that works once is thus used once, by however many
processes and threads. What came is durable before it is used. Where an answer is lost, the row says so until a later
answer tells, and an account whose sign-in is over is paused with the reason.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverberate import connecting
from reverberate.baton import lent, waiting_for
from reverberate.errors import Outcome, RateLimited, ReverberateError, StoreError, Transient, Unauthorised, Unsure
from reverberate.http import Session
from reverberate.lifetimes import AGAIN, ending, lasting, next_try, warned_at, warning
from reverberate.networks.base import Connects
from reverberate.networks.flows import Ended, moved
from reverberate.secrets import SecretMissing
from reverberate.store import connections, journal
from reverberate.store.connections import Connection
from reverberate.vault import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverberate.config import Config
    from reverberate.networks.base import Network, NetworkSettings
    from reverberate.networks.flows import App, Flow, Grant
    from reverberate.plugins import Plugins
    from reverberate.store import Store, Transaction
    from reverberate.vault import Keyring, Sealed

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
"""How long one refresh may take: longer than the session's time limits."""
PATIENCE = 45.0
"""Seconds to wait for another process's refresh."""
STUBBORN = 30
"""How often, a second apart, a refreshed token is offered to a database that is away."""


class SignIns:
    """The sign-ins of all connected accounts of one config."""

    def __init__(
        self,
        config: Config,
        store: Store,
        keys: Callable[[], Keyring],
        *,
        networks: Plugins[Network],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._store, self._keys, self._networks, self._now = config, store, keys, networks, now
        self._locks: dict[str, threading.Lock] = {}

    def flow(self, account: str) -> tuple[Flow, NetworkSettings]:
        """How the account is connected, and its settings.

        Raises:
            ReverberateError: it is not in the config, or its network has no sign-in.
        """
        if account not in self._config.accounts:
            raise ReverberateError(f"no account {account!r} in {self._config.path}")
        found = self._config.accounts[account]
        network = self._networks.get(found.network)
        if network.retired:
            raise ReverberateError(f"there is nothing left to connect {account} to", hint=network.retired)
        if not issubclass(network, Connects):
            hint = f"docs/networks/{network.name}.md says which keys it takes"
            raise ReverberateError(f"{network.title} has no sign-in; its secrets are given in the config", hint=hint)
        return moved(network.flow(found.settings), found.settings.sign_in_base), found.settings

    def connection(self, account: str) -> Connection | None:
        """What is known of the account's connection."""
        with self._store.read() as tx:
            return connections.get(tx, account)

    def peek(self, account: str, name: str) -> str:
        """A secret as it is, "" if it is not there or cannot be opened."""
        try:
            return self._kept(account).get(name, "")
        except ReverberateError:
            return ""

    def reveal(self, account: str, name: str) -> str:
        """A secret that works now.

        Raises:
            Unauthorised: only the owner can help.
            Transient: it has ended and cannot be refreshed just now.
        """
        try:
            self._alive(account)
            found = self._kept(account).get(name)
        except VaultError as error:
            raise Unauthorised(str(error)) from None
        except StoreError as error:
            raise Transient(str(error)) from None
        if not found:
            raise Unauthorised(f"{name} is not connected; run: reverberate connect {account}")
        return found

    def renewed(self, account: str, version: str) -> bool:
        """Whether there are other secrets now than those of ``version``, which the network did not take.

        Raises:
            Transient, RateLimited: there may be, later.
        """
        try:
            seen = self.connection(account)
            if seen is None or (seen.version == version and seen.refresh_at is None):
                return False
            return self._refreshed(account, version, forced=True).version != version
        except (Transient, RateLimited):
            raise
        except (Outcome, ReverberateError) as error:
            log.warning("%s cannot be renewed: %s", account, error)
            return False

    def keep(self, account: str, grant: Grant, *, who: str = "", app: App | None = None) -> None:
        """Keep what a sign-in brought, in the place of what was there; a paused account goes on.

        Raises:
            VaultError: there is no key to seal it with.
        """
        flow, _ = self.flow(account)
        now = self._now()
        fresh = Connection(account=account, version=connections.new_version(), who=who, since=now)
        with self._store.write() as tx:
            sealed = self._sealed(account, connecting.kept_fields(grant, app))
            connections.connect(tx, lasting(fresh, flow, grant, now=now), sealed, now=now)

    def forget(self, account: str) -> tuple[bool, str]:
        """End the sign-in at the vendor, then here; whether there was one, and why the vendor was not told, if so."""
        why = self._revoked(account)
        with self._store.write() as tx:
            return connections.disconnect(tx, account, now=self._now()), why

    def tend(self) -> None:
        """Refresh what is due though nobody asks for it, and tell owners in time of what they must renew themselves."""
        with self._store.read() as tx:
            every = connections.all_of(tx)
        for seen in every:
            if seen.account in self._config.accounts:
                self._tend(seen)

    def _tend(self, seen: Connection) -> None:
        now = self._now()
        if seen.refresh_at and seen.refresh_at <= now:
            try:
                self._refreshed(seen.account, seen.version)
            except (Outcome, ReverberateError) as error:
                log.warning("%s cannot be refreshed now: %s", seen.account, error)
        elif seen.refresh_at is None and seen.expires and (days := warned_at(seen.expires - now)):
            with self._store.write() as tx:
                connections.warn(tx, seen, days=days, words=warning(seen, now=now), now=now)

    def _alive(self, account: str) -> None:
        seen, now = self.connection(account), self._now()
        if seen is None:
            raise Unauthorised(f"it is not connected; run: reverberate connect {account}")
        if seen.refresh_at and seen.refresh_at <= now:
            seen = self._refreshed(account, seen.version)
        if seen.expires and seen.expires <= now:
            raise (
                Unauthorised(ending(seen)) if seen.refresh_at is None else Transient("its token has ended", after=AGAIN)
            )

    def _refreshed(self, account: str, version: str, *, forced: bool = False) -> Connection:
        """The connection after a refresh by whoever did it; ``forced`` refreshes before it is due, too.

        Raises:
            Outcome: it brought nothing, and the old secrets are of no use any more.
        """
        deadline = time.monotonic() + PATIENCE
        with waiting_for(self._locks.setdefault(account, threading.Lock())):
            while time.monotonic() < deadline:
                seen, now = self.connection(account), self._now()
                if seen is None:
                    raise Unauthorised(f"it is not connected; run: reverberate connect {account}")
                due = seen.refresh_at is not None and (forced or seen.refresh_at <= now)
                if seen.version != version or not due:
                    return seen
                with self._store.write() as tx:
                    mine = connections.take(tx, seen, now=now, lease=now + LEASE)
                if mine:
                    return self._refresh(seen, forced=forced)
                with lent():
                    time.sleep(0.1)
        raise Transient("another process is refreshing its token", after=AGAIN)

    def _refresh(self, seen: Connection, *, forced: bool) -> Connection:
        now = self._now()
        try:
            flow, settings = self.flow(seen.account)
            with Session() as session:
                grant = connecting.refresh(flow, settings, self._kept(seen.account), session=session, now=now)
        except (Outcome, ReverberateError, SecretMissing) as error:
            trouble = error if isinstance(error, Outcome) else Unauthorised(str(error))
        else:
            fresh = lasting(replace(seen, version=connections.new_version()), flow, grant, now=now)
            return self._kept_at_last(seen, fresh, grant)
        return self._failed(seen, trouble, forced=forced)

    def _kept_at_last(self, seen: Connection, fresh: Connection, grant: Grant) -> Connection:
        """Write down what came, however long the database takes: the old secrets may be of no use any more."""
        for last in (False,) * STUBBORN + (True,):
            try:
                with self._store.write() as tx:
                    sealed = self._sealed(seen.account, connecting.kept_fields(grant))
                    swapped = connections.swap(tx, seen, fresh, sealed)
            except ReverberateError as error:
                if last:
                    raise
                log.warning("the refreshed token of %s cannot be written down: %s", seen.account, error)
                with lent():
                    time.sleep(1)
            else:
                log.info("%s: token refreshed", seen.account) if swapped else log.warning(
                    "%s: connected anew", seen.account
                )
                return self.connection(seen.account) or fresh
        raise AssertionError("the last round returns or raises")

    def _failed(self, seen: Connection, trouble: Outcome, *, forced: bool) -> Connection:
        """What follows from a refresh that brought nothing."""
        now = self._now()
        alive = not forced and (seen.expires is None or seen.expires > now)
        log.warning("%s: its token was not refreshed: %s", seen.account, trouble.words)
        with self._store.write() as tx:
            if isinstance(trouble, Ended):
                self._over(tx, seen, trouble, alive=alive)
            else:
                known = {} if isinstance(trouble, Unsure) else {"begun": seen.begun}
                connections.give_back(tx, seen, refresh_at=next_try(trouble, now=now), **known)
        if alive:
            return self.connection(seen.account) or seen
        raise Transient(trouble.words, after=AGAIN) if isinstance(trouble, Unsure) else trouble

    def _over(self, tx: Transaction, seen: Connection, trouble: Outcome, *, alive: bool) -> None:
        now = self._now()
        lost = "the answer to an earlier refresh was lost, and now: " if seen.begun else ""
        ended = replace(seen, trouble=f"{lost}{trouble.words}", refresh_at=None)
        told = warned_at(seen.expires - now) if seen.expires else None
        if connections.give_back(tx, seen, refresh_at=None, trouble=ended.trouble, begun=None, warned=told):
            journal.note(tx, "token expires", now=now, account=seen.account, words=ending(ended))
            if not alive:
                journal.pause(tx, seen.account, now=now, why=ending(ended))

    def _revoked(self, account: str) -> str:
        try:
            flow, settings = self.flow(account)
            with Session() as session:
                done = connecting.revoke(flow, settings, self._kept(account), session=session)
        except (Outcome, ReverberateError, SecretMissing) as error:
            return str(error)
        return "" if done else "the network has no way to revoke it by program; its settings page has"

    def _kept(self, account: str) -> dict[str, str]:
        with self._store.read() as tx:
            rows = connections.sealed(tx, account)
        if not rows:
            return {}
        keys = self._keys()
        return {name: keys.open(account, name, sealed) for name, sealed in rows.items()}

    def _sealed(self, account: str, secrets: Mapping[str, str]) -> dict[str, Sealed]:
        keys = self._keys()
        return {name: keys.seal(account, name, secret) for name, secret in secrets.items()}
