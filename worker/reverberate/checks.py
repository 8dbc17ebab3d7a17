"""Looking for trouble before it matters: in the config's templates, rules and secrets, and on the machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverberate import broker
from reverberate.accounts import limit_of
from reverberate.config import missing_secrets
from reverberate.errors import Outcome, ReverberateError
from reverberate.model import Post
from reverberate.networks import networks
from reverberate.networks.base import Verifies
from reverberate.rendering import Renderer, Voice
from reverberate.runtime import make_service
from reverberate.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.config import Account, Config

SAMPLE = Post(url="https://blog.example/2026/a-post", title="A post", tags=("a tag",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    words: str


def problems(config: Config) -> list[str]:
    """One line for each thing that keeps the config from working."""
    found = missing_secrets(config)
    renderer = Renderer([config.templates], zone=config.zone, site=config.site.title)
    for account in config.accounts.values():
        found += [f"{config.path}: accounts.{account.name}: {words}" for words in _faults(account, renderer)]
        found += [f"{config.path}: accounts.{account.name}: {words}" for words in _unreachable(account, config)]
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
        accounts = make_service(config, store).accounts
        names = config.accounts if online else ()
        for name in names:
            found.append(_account(name, accounts.network(name)))  # noqa: PERF401 - one at a time, as a person reads it
    except ReverberateError as error:
        found.append(Finding(what="accounts", fine=False, words=str(error)))
    finally:
        store.close()
    return found


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


def _account(name: str, network: object) -> Finding:
    if not isinstance(network, Verifies):
        return Finding(what=name, fine=True, words="cannot be asked")
    try:
        standing = network.verify()
    except Outcome as outcome:
        return Finding(what=name, fine=False, words=outcome.words)
    words = "; ".join([standing.who, *standing.troubles, *standing.notes])
    return Finding(what=name, fine=not standing.troubles, words=words)
