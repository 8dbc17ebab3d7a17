"""The sources: plug-ins found by the entry-point group ``reverberate.sources``, imported when first used."""

from __future__ import annotations

from reverberate.plugins import Plugins
from reverberate.sources.base import Source

sources: Plugins[Source] = Plugins("reverberate.sources", Source, word="source type")  # type: ignore[type-abstract]  # the base is a bound, never made
