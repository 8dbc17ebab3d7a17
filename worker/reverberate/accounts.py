"""The configured accounts, ready for use: their networks, their words, their rules."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import urlsplit

from reverberate.baton import waiting_for
from reverberate.errors import ConfigError, Missing, Outcome, ReverberateError, Unauthorised
from reverberate.model import Assurance
from reverberate.networks.base import Finds, Verifies
from reverberate.overrides import Override, override
from reverberate.policy import PREFLIGHT, Ability
from reverberate.rendering import SAMPLE, Voice
from reverberate.schedule import AGAIN
from reverberate.secrets import VAULT, Bound, Secret, SecretMissing
from reverberate.store.turns import Allowance
from reverberate.text.count import count
from reverberate.walltime import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reverberate.config import Account, Config
    from reverberate.illustrate import Illustrator
    from reverberate.model import Message, Picture, Post
    from reverberate.networks.base import Network, NetworkSettings
    from reverberate.networks.known import Known
    from reverberate.plugins import Plugins
    from reverberate.rendering import Draft, Renderer
    from reverberate.signins import SignIns
    from reverberate.text.limits import Limit


T = TypeVar("T")
Keep: TypeAlias = "Callable[[Picture, bytes], None]"


class Accounts:
    """Every account of a config. Networks are made when first used and kept; one thread uses an account at a time."""

    def __init__(
        self,
        config: Config,
        renderer: Renderer,
        *,
        networks: Plugins[Network],
        illustrator: Illustrator | None = None,
        sign_ins: SignIns | None = None,
    ) -> None:
        self._config, self._renderer, self._networks = config, renderer, networks
        self._illustrator = illustrator
        self.sign_ins = sign_ins
        self._made: dict[str, Network] = {}
        self._known: dict[tuple[str, str], Known] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Account:
        """The account's configuration.

        Raises:
            Missing: the config does not know it (any more).
        """
        try:
            return self._config.accounts[name]
        except KeyError:
            known = ", ".join(self._config.accounts) or "none"
            raise Missing(f"no account {name!r} in {self._config.path}", hint=f"there are: {known}") from None

    def kind(self, name: str) -> type[Network]:
        """The account's kind of network, and the way that its settings choose. Raises as ``get``."""
        account = self.get(name)
        return self._networks.get(account.network).way(account.settings)

    def network(self, name: str) -> Network:
        """The account, ready to send.

        Raises:
            ReverberateError: it is not in the config, or a secret of it is missing.
        """
        if name not in self._made:
            with waiting_for(self._lock):
                if name not in self._made:
                    self._made[name] = self.another(name)
        return self._made[name]

    def make_ready(self) -> None:
        """Make all networks ahead, so that the first post to many accounts does not wait for them; faults are told when used.

        Of each kind one renders a sample too: the first use of a template takes as long as thirty others.
        """
        for name in self._config.accounts:
            with suppress(ReverberateError):
                self.network(name)
        for name in {account.network: name for name, account in self._config.accounts.items()}.values():
            with suppress(ReverberateError):
                self._renderer.draft(SAMPLE, self.voice(name, SAMPLE, self.kind(name).limit))

    def another(self, name: str) -> Network:
        """The account once more, with a session of its own, for who does something beside the sending. Raises as ``network``."""
        made: list[Network] = []
        try:
            made.append(self.kind(name)(name, self._bound(name, self.get(name).settings, made)))
        except SecretMissing as error:
            raise ConfigError([f"{self._config.path}: accounts.{name}: {error}"]) from None
        if server := _host(self.get(name)):
            made[0].known = self._known.setdefault((made[0].name, server), made[0].known)
        return made[0]

    def version(self, name: str) -> str:
        """Which secrets of the vault the account has now; "" if it has none."""
        if self.sign_ins is None or not vault_fields(self.get(name).settings):
            return ""
        seen = self.sign_ins.connection(name)
        return seen.version if seen else ""

    def renewed(self, name: str, version: str) -> bool:
        """Whether the account has other secrets by now, or gets them, since the network did not take ``version``.

        Raises:
            Outcome: it may get them later.
        """
        return bool(version) and self.sign_ins is not None and self.sign_ins.renewed(name, version)

    def asked(self, name: str, ask: Callable[[], T | Outcome]) -> T | Outcome:
        """What ``ask`` finds on the account's network; once more where it did not take secrets that can be refreshed."""
        version, found = self.version(name), ask()
        if not isinstance(found, Unauthorised):
            return found
        try:
            return ask() if self.renewed(name, version) else found
        except Outcome as outcome:
            return outcome

    def _bound(self, name: str, settings: NetworkSettings, made: Sequence[Network]) -> NetworkSettings:
        """The settings, with the vault's secrets within reach; ``made`` holds their network once it is there."""
        if self.sign_ins is None:
            return settings
        bound = {field: Bound(VAULT, "", partial(self._reveal, name, field, made)) for field in vault_fields(settings)}
        return settings.model_copy(update=bound)

    def _reveal(self, name: str, field: str, made: Sequence[Network]) -> str:
        if self.sign_ins is None or not made:  # being made: it only learns what to keep out of texts
            return self.sign_ins.peek(name, field) if self.sign_ins else ""
        value = self.sign_ins.reveal(name, field)
        made[0].session.learn(value)
        return value

    def preflight(self, name: str) -> tuple[timedelta, ...]:
        """How long before a scheduled share the account is asked how it stands. Raises as ``get``."""
        account, kind = self.get(name), self.kind(name)
        if not issubclass(kind, Verifies):
            return ()
        return account.preflight if account.preflight is not None else () if kind.verify_costs else PREFLIGHT

    def ability(self, name: str) -> Ability:
        """What the delivery policy must know of the account's network. Raises as ``get``."""
        return ability_of(self.kind(name), self.get(name))

    def settle(self, name: str) -> timedelta:
        """How long to wait before a look-up is worth anything; nothing where sending again is always harmless."""
        ability = self.ability(name)
        return timedelta(0) if ability.always else ability.settle

    def allowance(self, name: str, message: Message, *, fixed: bool = False) -> Allowance:
        """How often the account may speak, and what this message costs; ``fixed`` where a person chose the moment.

        Raises as ``network``.
        """
        account, network = self.get(name), self.network(name)
        price = network.price(message) if account.budget is not None else 0
        waived = frozenset({"min_gap", "max_per_day"} if fixed else ())  # the network's own limits (rate) hold for all
        return Allowance(account=name, paces=account.paces, waived=waived, price=price, budget=account.budget)

    def quiet_until(self, name: str, *, now: datetime) -> datetime | None:
        """When the quiet hours end in which the account is now; None if it is in none. Raises as ``get``."""
        quiet, zone = self.get(name).schedule.quiet, self._config.zone
        end = quiet.over(now, zone) if quiet else None
        return None if end is None else instant(end, zone)

    def picture_address(self, digest: str) -> str:
        """Where the web door serves a picture to the internet; "" where the config names no ``public_url``."""
        base = self._config.service.public_url.rstrip("/")
        return f"{base}/pictures/{digest}" if base else ""

    def on_the_same_host(self, name: str) -> list[str]:
        """The accounts whose network is the same server, this one among them."""
        host = _host(self.get(name))
        return [
            other
            for other, account in self._config.accounts.items()
            if other == name or (host and _host(account) == host)
        ]

    def message(self, name: str, post: Post, keep: Keep, *, slot: str = "", text: str = "") -> Message:
        """The post in the account's own voice, fitting its network's limit; ``keep`` stores its pictures.

        Args:
            name: the account.
            post: what is shared.
            keep: stores its pictures.
            slot: which sharing of the post on this account it is.
            text: these very words instead, as a person typed them.

        Raises:
            ReverberateError: the account is not in the config, or its template, the post's own wishes or the words
                are at fault.
        """
        network = self.network(name)
        try:
            limit = network.live_limit()
        except Outcome:  # the server cannot be asked now: sending will say so; the usual limit is the careful guess
            limit = network.limit
        limit = limit_of(self.kind(name), self.get(name), usual=limit)
        voice = self.voice(name, post, limit, slot=slot)
        message = self._worded(text, post, voice) if text else self._renderer.draft(post, voice).message
        return self._illustrated(name, message, post, keep)

    def _worded(self, text: str, post: Post, voice: Voice) -> Message:
        """The very words, with the link where neither they nor a card hold it; a ReverberateError if that is too long."""
        limit, length = voice.limit, count(text, voice.limit)
        if length <= limit.maximum:
            given = replace(voice, override=replace(voice.override, text=text, hashtags=()))
            message = self._renderer.draft(post, given).message
            if not message.notes:
                return message
        raise ReverberateError(f"these words take {length:,} of {limit.maximum:,} {limit.unit}, the link not counted")

    def preview(self, name: str, post: Post, keep: Keep | None = None, *, slot: str = "") -> tuple[Draft, Limit]:
        """As ``message``, but asking no network: with its usual limit, and without the account's secrets.

        Pictures are fetched only where ``keep`` takes them.
        """
        limit = limit_of(self.kind(name), self.get(name))
        draft = self._renderer.draft(post, self.voice(name, post, limit, slot=slot))
        if keep is not None:
            draft = replace(draft, message=self._illustrated(name, draft.message, post, keep))
        return draft, limit

    def _illustrated(self, name: str, message: Message, post: Post, keep: Keep) -> Message:
        if self._illustrator is None:
            return message
        said = self.said(name, post)
        if said.alt is not None and post.images:
            post = replace(post, images=(replace(post.images[0], alt=said.alt), *post.images[1:]))
        return self._illustrator.illustrated(message, post, self.get(name), self.kind(name), keep)

    def said(self, name: str, post: Post) -> Override:
        """What the post itself says for the account. Raises a ReverberateError if that cannot be understood."""
        return override(post.extra, name, accounts=self._config.accounts)

    def voice(self, name: str, post: Post, limit: Limit, *, slot: str = "") -> Voice:
        """How the account speaks about this post. Raises as ``message``."""
        account, said = self.get(name), self.said(name, post)
        again = account.evergreen.template if account.evergreen and slot.startswith(AGAIN) else None
        network = self.kind(name)
        return Voice(
            account=name,
            network=account.network,
            limit=limit,
            template=again or account.template or network.template,
            threads=network.threads,
            card=network.card,
            article=network.article,
            warning=_warning(said, account) if network.warns else "",
            numbering=account.numbering,
            override=replace(said, text=None) if again else said,  # other words are the point of that template
        )

    def layers(self, name: str, post: Post) -> list[tuple[str, str, str]]:
        """What decides over this share: setting, value, and who set it; the stronger one is named."""
        account, said = self.get(name), self.said(name, post)
        template = account.template or self.kind(name).template or f"{account.network}.txt"
        rows = [
            ("words", "as given", "the post")
            if said.text is not None
            else ("template", template, _who(account.template)),
            (
                "delay",
                str(account.schedule.delay + (said.delay or timedelta(0))),
                "the post" if said.delay else "the account",
            ),
            ("picture", account.picture, "the account"),
        ]
        rows += [("hashtags", " ".join(said.hashtags), "the post")] if said.hashtags else []
        rows += [("alt", said.alt, "the post")] if said.alt else []
        if self.kind(name).warns and (warning := _warning(said, account)):
            rows += [("warning", warning, "the post" if said.warning is not None else "the account")]
        return rows + ([("skip", "true", "the post")] if said.skip else [])

    def wants(self, name: str, post: Post) -> bool:
        """Whether the account's ``when`` rule holds for the post. Raises a ReverberateError if it cannot be told."""
        rule = self.get(name).when
        return rule is None or self._renderer.matches(rule, post=post, account=name)


def vault_fields(settings: NetworkSettings) -> list[str]:
    """The settings that lie in the vault."""
    names = type(settings).model_fields
    return [name for name in names if isinstance(one := getattr(settings, name), Secret) and one.kind == VAULT]


def _who(own: object) -> str:
    return "the network's default" if own is None else "the account"


def _warning(said: Override, account: Account) -> str:
    """The content warning: the post's own, else the account's."""
    return str(said.warning if said.warning is not None else getattr(account.settings, "content_warning", ""))


def _host(account: Account) -> str:
    """The server that an account speaks to, "" where its settings do not say."""
    base = getattr(account.settings, "api_base", "") or getattr(account.settings, "instance", "")
    return urlsplit(base).netloc


def limit_of(network: type[Network], account: Account, *, usual: Limit | None = None) -> Limit:
    """The limit that an account's words have to fit; ``usual`` is the live one of a message without pictures."""
    attaches = account.picture == "attach" and "attach" in network.carries
    return network.caption if attaches and network.caption else usual or network.limit


@cache
def _finds(network: type[Network]) -> bool:
    return issubclass(network, Finds)  # asked for each share, and slow to answer


def ability_of(network: type[Network], account: Account) -> Ability:
    """What the policy must know of a network and an account on it."""
    return Ability(
        assurance=network.assurance,
        finds=_finds(network),
        always=network.assurance is Assurance.IDENTITY and network.identity_window is None,
        resend=account.on_unsure == "resend",
        waits=account.retry,
        settle=network.settle if account.settle is None else account.settle,
    )
