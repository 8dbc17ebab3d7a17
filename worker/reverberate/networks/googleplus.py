"""Google+: closed in 2019. Old configs keep working, and every share says why it was skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pydantic import ConfigDict

from reverberate.errors import Retired
from reverberate.model import Assurance
from reverberate.networks.base import Network, NetworkSettings
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from reverberate.model import Delivery


class GooglePlusSettings(NetworkSettings):
    """Whatever an old config says is accepted and not used."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class GooglePlus(Network):
    """Makes no call at all. Source: developers.google.com, "Google+ API shutdown" (2019-03-07)."""

    name, title, assurance = "googleplus", "Google+ (retired)", Assurance.BLIND
    limit, Settings = LIMITS["googleplus"], GooglePlusSettings
    retired = "Google+ closed in 2019 (its API on 7 March); Google Business Profile posts are what is left"

    def send(self, delivery: Delivery) -> NoReturn:
        """See Network; always Retired."""
        del delivery
        raise Retired(self.retired)
