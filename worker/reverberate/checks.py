"""Looking for trouble before it matters: in the config's templates, rules and secrets, and on the machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reverberate import broker, channels, standings
from reverberate.accounts import limit_of
from reverberate.config import missing_secrets
from reverberate.errors import ReverberateError
from reverberate.model import Post
from reverberate.networks import networks
from reverberate.rendering import Renderer, Voice
from reverberate.runtime import make_service
from reverberate.status import stamp
from reverberate.store import Store, journal, turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverberate.config import Account, Config
    from reverberate.model import AccountState
    from reverberate.service import Service
    from reverberate.standings import Stand

SAMPLE = Post(url="https://blog.example/2026/a-post", title="A post", tags=("a tag",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    words: str
    stand: Stand | None = None

    def row(self) -> dict[str, Any]:
        """As plain JSON values; of an account, all that its network told."""
        told: dict[str, Any] = {"what": self.what, "state": "ok" if self.fine else "trouble", "words": self.words}
        if one := self.stand:
            told |= {"network": one.network, "who": one.who, "expires": stamp(one.expires)}
            told |= {"skew": None if one.skew is None else one.skew.total_seconds()}
            told |= {"notes": list(one.notes), "troubles": list(one.troubles)}
        return told


def problems(config: Config) -> list[str]:
    """One line for each thing that keeps the config from working."""
    found = missing_secrets(config)
    renderer = Renderer([config.templates], zone=config.zone, site=config.site.title)
    for account in config.accounts.values():
        found += [f"{config.path}: accounts.{account.name}: {words}" for words in _faults(account, renderer)]
        found += [f"{config.path}: accounts.{account.name}: {words}" for words in _unreachable(account, config)]
    for name, table in config.notices.items():
        found += [f"{config.path}: notices.{name}: {words}" for words in channels.faults(table)]
    return found


def _unreachable(account: Account, config: Config) -> Iterator[str]:
    """What a network that fetches its pictures will not get."""
    network = networks.get(account.network)
    wanted = account.picture == "attach" or (network.pictured and account.picture != "none")
    if network.fetches and wanted and not config.service.public_url:
        yield f"{network.title} fetches pictures from the internet: set public_url in [service] (docs/pictures.md)"


def _faults(account: Account, renderer: Renderer) -> Iterator[str]:
    network = networks.get(account.network).way(account.settings)
    voice = Voice(
        account=account.name,
        network=account.network,
        limit=limit_of(network, account),
        template=account.template or network.template,
        threads=network.threads,
        card=network.card,
    )
    yield from renderer.check(voice)
    if account.evergreen and account.evergreen.template:
        yield from renderer.check(replace(voice, template=account.evergreen.template))
    if account.when is not None:
        try:
            renderer.matches(account.when, post=SAMPLE, account=account.name)
        except ReverberateError as error:
            yield str(error)


def examine(config: Config, *, online: bool) -> list[Finding]:
    """The config, the database, Redis, and each account; with ``online`` also what the networks say."""
    found = [Finding(what="config", fine=not lines, words="; ".join(lines) or "fine") for lines in [problems(config)]]
    found.append(_redis(config))
    try:
        store = Store(config.database_url())
    except ReverberateError as error:
        return [*found, Finding(what="database", fine=False, words=str(error))]
    try:
        found.append(Finding(what="database", fine=True, words="answers"))
        found += _stands(config, make_service(config, store)) if online else []
    except ReverberateError as error:
        found.append(Finding(what="accounts", fine=False, words=str(error)))
    finally:
        store.close()
    return found


def ask_networks(config: Config) -> list[Finding]:
    """What the networks say of each account.

    Raises:
        ReverberateError: the database cannot be opened.
    """
    store = Store(config.database_url())
    try:
        return _stands(config, make_service(config, store))
    finally:
        store.close()


def _redis(config: Config) -> Finding:
    from reverberate.doorbell import answers

    if url := broker.running_url(config):
        fine = answers(url)
        return Finding(
            what="redis", fine=fine, words="answers" if fine else "does not answer; pollers deliver meanwhile"
        )
    program = broker.find_server()
    words = f"{program.name} will be started by `up`" if program else "none: the poller delivers in-process"
    return Finding(what="redis", fine=True, words=words)


def _stands(config: Config, service: Service) -> list[Finding]:
    """What the networks say of each account, and what it may still spend."""
    now = datetime.now(UTC)
    with service.store.read() as tx:
        spent, states = turns.spent(tx, now=now), journal.account_states(tx)
    asked = standings.ask(service.accounts, list(config.accounts), now=lambda: datetime.now(UTC))
    return [_stand(one, config.accounts[one.account], states.get(one.account), spent) for one in asked]


def _stand(one: Stand, account: Account, state: AccountState | None, spent: Mapping[str, int]) -> Finding:
    notes, troubles = list(one.notes), list(one.troubles)
    if state is not None and state.paused:
        troubles.append(f"paused: {state.paused_why}")
    if account.budget is not None:
        left = f"{spent.get(one.account, 0) / 1e6:.2f} of {account.budget / 1e6:.2f} spent this month"
        (troubles if spent.get(one.account, 0) >= account.budget else notes).append(left)
    words = "; ".join(filter(None, [one.who, *troubles, *notes]))
    return Finding(what=one.account, fine=not troubles, words=words, stand=one)
