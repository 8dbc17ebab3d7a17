"""What is installed: each network with its class, its limit and its abilities, as its plug-in itself says."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from reverberate.model import Assurance
from reverberate.networks.base import Counts, Deletes, Edits, Finds, Network, Verifies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.plugins import Plugins

PROTOCOLS: tuple[tuple[str, type[Any]], ...] = (
    ("find", Finds),
    ("edit", Edits),
    ("delete", Deletes),
    ("count", Counts),
    ("verify", Verifies),
)
PROMISES = {
    Assurance.IDENTITY: "we choose the post's identity",
    Assurance.REFUSES: "it refuses duplicates, and our posts can be read back",
    Assurance.READABLE: "our posts can be read back",
    Assurance.BLIND: "at most once: what is unknown is asked about",
}


def rows(networks: Plugins[Network]) -> list[dict[str, Any]]:
    """Every installed network, by name, as plain JSON values; one of two ways has a row for each."""
    return [row(way) for name in networks.names() for way in networks.get(name).ways()]


def row(network: type[Network]) -> dict[str, Any]:
    """One network: ``assurance`` is its class, ``abilities`` are the words of ``abilities``."""
    limit = {"maximum": network.limit.maximum, "unit": network.limit.unit.value, "live": _live(network)}
    return {
        "name": network.name,
        "title": network.title,
        "assurance": network.assurance.value,
        "promise": network.retired or promise(network),
        "retired": bool(network.retired),
        "limit": limit,
        "abilities": list(abilities(network)),
    }


def abilities(network: type[Network]) -> Iterator[str]:
    """What it can do: find, edit, delete, count, verify, and thread, card, pictures."""
    yield from (word for word, protocol in PROTOCOLS if issubclass(network, protocol))
    yield from ["thread"] if network.threads else []
    yield from ["card"] if network.card else []
    yield from ["pictures"] if network.carries else []


def promise(network: type[Network]) -> str:
    """By what a post arrives there exactly once."""
    if network.assurance is Assurance.IDENTITY and network.identity_window is not None:
        return "we choose the post's identity for a while, and our posts can be read back"
    return PROMISES[network.assurance]


def length(told: dict[str, Any]) -> str:
    """A row's limit, for people."""
    words = f"{told['limit']['maximum']:,} {told['limit']['unit']}"
    return f"{words}, or the server's own" if told["limit"]["live"] else words


def _live(network: type[Network]) -> bool:
    """Whether its servers differ, and are asked."""
    return inspect.getattr_static(network, "live_limit") is not inspect.getattr_static(Network, "live_limit")
