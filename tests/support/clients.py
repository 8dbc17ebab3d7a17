"""The real clients, with made-up keys, on a sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverberate.errors import Outcome
from reverberate.model import Card, Delivery, Message, Picture, Receipt
from reverberate.networks import networks
from reverberate.sandbox import credentials, settings
from reverberate.sandbox.keys import number, token
from reverberate.secrets import Secret

if TYPE_CHECKING:
    import pytest

    from reverberate.networks.base import Network

LINK = "https://example.org/2026/a-post?a=1&b=2"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
PICTURE = Picture(digest="1" * 64, mime="image/png", width=640, height=480, size=len(PNG), alt="A hill")
WAYS = {
    "telegram": {},
    "discord": {},
    "discord bot": {"webhook": None},
    "reddit": {},
    "reddit text": {"kind": "self"},
    "tumblr": {},
    "pinterest": {},
    "webhook": {},
}
"""Networks, and ways of those that have two, with what an account's settings say beside the usual."""


def client(url: str, way: str, patch: pytest.MonkeyPatch, *, account: str = "alice", seed: str = "s") -> Network:
    """The real client of an account; another ``seed`` gives it keys that the sandbox does not know."""
    name = way.partition(" ")[0]
    values: dict[str, object] = {**settings(url, "s", name, account)}
    secrets = credentials(seed, name, account)
    if way == "discord bot":
        secrets = {"bot_token": token(seed, name, account)}
        values["channel"] = number("s", name, account)
    for key, secret in secrets.items():
        variable = f"{name}_{account}_{key}".upper()
        patch.setenv(variable, secret)
        values[key] = Secret("env", variable)
    network = networks.get(name)
    made = network.Settings(**values | WAYS.get(way, {}))
    return network.way(made)(account, made)


def delivery(way: str, text: str = "", *, serial: int = 1, pictures: int = 0) -> Delivery:
    """A message as the network's template would make it, with a picture where the network takes nothing without."""
    holds_link = way.partition(" ")[0] == "telegram" or way == "reddit text"
    words = text or "Grüße & <b>Küsse</b> *from* a_blog 🎉"
    pictures = max(pictures, 1 if way == "pinterest" else 0)
    card = None if holds_link else Card(url=LINK, title=f"A *post* {serial}", description="in short")
    message = Message(
        parts=(f"{words}\n\n{LINK}" if holds_link else words,),
        link=LINK,
        card=card,
        pictures=(PICTURE,) * pictures,
        language="en",
    )
    return Delivery(
        serial=serial, key=f"key-{serial}", planned=datetime.now(UTC), message=message, load=lambda _digest: PNG
    )


def saying(what: Delivery, text: str) -> Delivery:
    """The same delivery with other words."""
    return replace(what, message=replace(what.message, parts=(text,)))


def sent(network: Network, what: Delivery) -> Receipt | Outcome:
    """What a try comes to."""
    try:
        return network.send(what)
    except Outcome as outcome:
        return outcome
