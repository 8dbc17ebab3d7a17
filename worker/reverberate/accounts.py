"""The configured accounts, ready for use: their networks, their words, their rules."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from reverberate.errors import ConfigError, Outcome, ReverberateError
from reverberate.model import Assurance
from reverberate.networks.base import Finds
from reverberate.policy import Ability
from reverberate.secrets import SecretMissing

if TYPE_CHECKING:
    from reverberate.config import Account, Config
    from reverberate.model import Message, Post
    from reverberate.networks.base import Network
    from reverberate.plugins import Plugins
    from reverberate.rendering import Renderer
    from reverberate.text.limits import Limit


class Accounts:
    """Every account of a config. Networks are made when first used and kept; one thread uses an account at a time."""

    def __init__(self, config: Config, renderer: Renderer, *, networks: Plugins[Network]) -> None:
        self._config, self._renderer, self._networks = config, renderer, networks
        self._made: dict[str, Network] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Account:
        """The account's configuration.

        Raises:
            ReverberateError: the config does not know it (any more).
        """
        try:
            return self._config.accounts[name]
        except KeyError:
            known = ", ".join(self._config.accounts) or "none"
            raise ReverberateError(f"no account {name!r} in {self._config.path}", hint=f"there are: {known}") from None

    def network(self, name: str) -> Network:
        """The account, ready to send.

        Raises:
            ReverberateError: it is not in the config, or a secret of it is missing.
        """
        account = self.get(name)
        with self._lock:
            if name not in self._made:
                try:
                    self._made[name] = self._networks.get(account.network)(name, account.settings)
                except SecretMissing as error:
                    raise ConfigError([f"{self._config.path}: accounts.{name}: {error}"]) from None
            return self._made[name]

    def ability(self, name: str) -> Ability:
        """What the delivery policy must know of the account's network. Raises as ``get``."""
        account = self.get(name)
        return ability_of(self._networks.get(account.network), on_unsure=account.on_unsure)

    def settle(self, name: str) -> timedelta:
        """How long to wait before a look-up is worth anything; nothing where sending again is always harmless."""
        network = self._networks.get(self.get(name).network)
        return timedelta(0) if self.ability(name).always else network.settle

    def message(self, name: str, post: Post) -> Message:
        """The post in the account's own voice, fitting its network's limit.

        Raises:
            ReverberateError: the account is not in the config, or its template is at fault.
        """
        account, network = self.get(name), self.network(name)
        try:
            limit = network.live_limit()
        except Outcome:  # the server cannot be asked now: sending will say so; the usual limit is the careful guess
            limit = network.limit
        return self._renderer.message(
            post=post, account=name, network=account.network, limit=limit, template=account.template
        )

    def preview(self, name: str, post: Post) -> tuple[Message, Limit]:
        """As ``message``, but asking nobody: with the network's usual limit, and without the account's secrets."""
        account = self.get(name)
        limit = self._networks.get(account.network).limit
        message = self._renderer.message(
            post=post, account=name, network=account.network, limit=limit, template=account.template
        )
        return message, limit

    def wants(self, name: str, post: Post) -> bool:
        """Whether the account's ``when`` rule holds for the post. Raises a ReverberateError if it cannot be told."""
        rule = self.get(name).when
        return rule is None or self._renderer.matches(rule, post=post, account=name)


def ability_of(network: type[Network], *, on_unsure: str) -> Ability:
    """What the policy must know of a network."""
    return Ability(
        assurance=network.assurance,
        finds=issubclass(network, Finds),
        always=network.assurance is Assurance.IDENTITY and network.identity_window is None,
        resend=on_unsure == "resend",
    )
