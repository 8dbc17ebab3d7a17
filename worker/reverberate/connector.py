"""Connecting accounts, for the command line and the dashboard alike: begin, complete, or keep what was pasted."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverberate import connecting
from reverberate.connecting import Begun, ConnectError
from reverberate.errors import Outcome
from reverberate.http import Session
from reverberate.networks.base import Verifies
from reverberate.networks.flows import Grant, OAuth2Flow, PasteFlow
from reverberate.secrets import VAULT, Bound, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reverberate.config import Config
    from reverberate.networks.base import Network, NetworkSettings
    from reverberate.networks.flows import Flow
    from reverberate.plugins import Plugins
    from reverberate.signins import SignIns


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What came of it, for people.

    Attributes:
        account: its name.
        who: who we are there, "" where the network did not tell.
        note: why it did not tell, or "".
        instead_of: who it was before, "" if nobody or the same.
        expires: when its token ends, None where it does not.
        renewed: whether it is refreshed by itself.
    """

    account: str
    who: str = ""
    note: str = ""
    instead_of: str = ""
    expires: datetime | None = None
    renewed: bool = False


class Connector:
    """Signs accounts of one config in."""

    def __init__(
        self,
        config: Config,
        sign_ins: SignIns,
        *,
        networks: Plugins[Network],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._sign_ins, self._networks, self._now = config, sign_ins, networks, now

    def flow(self, account: str) -> Flow:
        """How the account is connected.

        Raises:
            ReverberateError: it is not in the config, its network has no sign-in, or its settings do not say
                ``{ vault = true }`` where what comes is to be kept.
        """
        flow, settings = self._sign_ins.flow(account)
        fills = [ask.setting for ask in flow.asks] if isinstance(flow, PasteFlow) else list(flow.fills.values())
        for name in fills:
            value = getattr(settings, name, None)
            if not (isinstance(value, Secret) and value.kind == VAULT):
                hint = f"write {name} = {{ vault = true }} in [accounts.{account}] of {self._config.path}"
                raise ConnectError(f"{account} takes its {name} from elsewhere", hint=hint)
        return flow

    def begin(self, account: str, *, redirect: str) -> Begun:
        """Where the owner consents. Raises as ``flow`` and ``connecting.start``."""
        self.flow(account)
        flow, settings = self._sign_ins.flow(account)
        with Session() as session:
            return connecting.start(
                flow, settings, account=account, redirect=redirect, session=session, now=self._now()
            )

    def complete(self, begun: Begun, params: Mapping[str, str]) -> Connected:
        """Keep what came of the consent; ``params`` are what the vendor sent back with the owner.

        Raises:
            ConnectError: as ``connecting.finish``; nothing was kept.
            VaultError: there is no key to keep it under.
        """
        flow, settings = self._sign_ins.flow(begun.account)
        with Session() as session:
            grant = connecting.finish(flow, settings, begun, params, session=session, now=self._now())
        try:
            who, note = self._who(begun.account, settings, grant.values), ""
        except (
            Outcome
        ) as outcome:  # the vendor gave the token: that it will not tell who we are is no reason to lose it
            who, note = "", outcome.words
        return self._kept(flow, begun, grant, who=who, note=note)

    def paste(self, account: str, values: Mapping[str, str]) -> Connected:
        """Keep what the owner pasted, if the network takes it.

        Raises:
            ConnectError: it does not, or cannot be asked now; nothing was kept.
            VaultError: as ``complete``.
        """
        flow, settings = self._sign_ins.flow(account)
        with connecting.explained(account):
            who = self._who(account, settings, values)
        begun = Begun(account=account, address="", redirect="", started=self._now(), state="")
        return self._kept(flow, begun, Grant(values=values), who=who)

    def _who(self, account: str, settings: NetworkSettings, values: Mapping[str, str]) -> str:
        """Who these secrets make us. Raises an Outcome where they are not taken."""
        network = self._networks.get(self._config.accounts[account].network).way(settings)
        with _given(settings, values) as bound:
            made = network(account, bound)
            with made.session:
                return made.verify().who if isinstance(made, Verifies) else ""

    def _kept(self, flow: Flow, begun: Begun, grant: Grant, *, who: str, note: str = "") -> Connected:
        before = self._sign_ins.connection(begun.account)
        self._sign_ins.keep(begun.account, grant, who=who, app=begun.app)
        old = before.who if before else ""
        return Connected(
            account=begun.account,
            who=who,
            note=note,
            instead_of=old if old != who else "",
            expires=grant.expires,
            renewed=isinstance(flow, OAuth2Flow) and connecting.refreshable(flow, grant),
        )


@contextmanager
def _given(settings: NetworkSettings, values: Mapping[str, str]) -> Iterator[NetworkSettings]:
    """The settings with these secrets in the vault's place, until the block ends."""
    held = dict(values)
    names = [name for name in type(settings).model_fields if _in_vault(getattr(settings, name))]
    bound = {name: Bound(VAULT, "", lambda name=name: held.get(name, "")) for name in names}  # type: ignore[misc]  # mypy cannot infer it
    try:
        yield settings.model_copy(update=bound)
    finally:
        held.clear()


def _in_vault(value: object) -> bool:
    return isinstance(value, Secret) and value.kind == VAULT


class Pending:
    """Sign-ins that wait for their owner's consent, each to be taken once; for doors that hear of it in another call."""

    def __init__(self) -> None:
        self._waiting: dict[str, Begun] = {}
        self._lock = threading.Lock()

    def put(self, begun: Begun, *, now: datetime) -> None:
        """Keep it for as long as its owner may take."""
        with self._lock:
            fresh = {state: one for state, one in self._waiting.items() if now - one.started <= connecting.PATIENCE}
            self._waiting = {**fresh, begun.state: begun}

    def take(self, params: Mapping[str, str]) -> Begun:
        """The sign-in to which these parameters belong; nobody gets it again.

        Raises:
            ConnectError: there is none.
        """
        with self._lock:
            begun = self._waiting.pop(connecting.state_of(params), None)
        if begun is None:
            raise ConnectError("no sign-in waits for this answer", hint="begin again")
        return begun
