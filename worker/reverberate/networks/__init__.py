"""The networks: plug-ins found by the entry-point group ``reverberate.networks``, imported when first used."""

from __future__ import annotations

from reverberate.networks.base import Network
from reverberate.plugins import Plugins

networks: Plugins[Network] = Plugins("reverberate.networks", Network, word="network")  # type: ignore[type-abstract]  # the base is a bound, never made
