"""Pictures for messages: found, fetched, prepared for the network, kept. A picture never makes a share fail."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.baton import lent
from reverberate.fetch import FetchError, fetch, host_and_port
from reverberate.model import Image, Picture
from reverberate.networks.base import with_link
from reverberate.pictures import CARD_RULES, LARGEST, RULES, CardStyle, PictureError, candidates, drawn, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.config import Account, Config
    from reverberate.model import Message, Post
    from reverberate.networks.base import Network
    from reverberate.pictures import PictureRule, Recoded
    from reverberate.text.limits import Limit

LARGEST_PAGE = 2_000_000
SECONDS = 20.0
REMEMBERED = 24
"""Prepared pictures in memory: the accounts of one post want the same one after the other."""
PAGE = {"Accept": "text/html,application/xhtml+xml"}


class Illustrator:
    """Finds and prepares pictures for the posts of one config."""

    def __init__(self, config: Config) -> None:
        site = config.site
        self._title, self._draws = site.title, site.share_card
        self._style = CardStyle(background=site.card_background, text=site.card_text, accent=site.card_accent)
        self._trusted = frozenset(_hosts(config))
        self._prepared: OrderedDict[tuple[str, str], tuple[Picture, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def illustrated(
        self,
        message: Message,
        post: Post,
        account: Account,
        network: type[Network],
        keep: Callable[[Picture, bytes], None],
    ) -> Message:
        """The message with the post's picture where account and network want one; ``keep`` stores its bytes.

        What goes wrong is a note of the message: it goes without, for a picture is never worth a share.
        """
        place = _place(account.picture, network, message)
        if not place:
            return message
        rule = (CARD_RULES if place == "card" else RULES).get(network.name)
        if rule is None:
            return message
        made, notes = self._picture(post, rule, f"{place} {network.name}")
        if made is None:
            return replace(message, notes=(*message.notes, *notes))
        keep(*made)
        told = _placed(message, made[0], place, notes)
        return _linked(told, network.limit) if place == "attach" and network.displaces else told

    def _picture(
        self, post: Post, rule: PictureRule, purpose: str
    ) -> tuple[tuple[Picture, bytes] | None, tuple[str, ...]]:
        """The first picture that can be had, and what was wrong with those before it."""
        notes: list[str] = []
        for image in self._candidates(post, notes):
            try:
                return self._ready(image, rule, purpose), tuple(notes)
            except (FetchError, PictureError) as error:
                notes.append(f"picture left out: {error}")
        if self._draws:
            try:
                card = drawn(post.title or post.url, post.site or self._title, style=self._style)
                return _named(prepare(card, rule, alt=post.title)), (*notes, "a share card was drawn")
            except PictureError as error:
                notes.append(f"no share card: {error}")
        return None, tuple(notes)

    def _candidates(self, post: Post, notes: list[str]) -> tuple[Image, ...]:
        """The pictures that the source names; where it names none, those of the post's own page."""
        if found := candidates(post):
            return found
        try:
            with lent():
                page = fetch(
                    post.url, max_bytes=LARGEST_PAGE, seconds=SECONDS, headers=PAGE, trusted_hosts=self._trusted
                )
        except FetchError as error:
            notes.append(f"the post's page was not looked at for pictures: {error}")
            return ()
        return candidates(post, page=page.body.decode("utf-8", "replace"), page_url=page.url)

    def _ready(self, image: Image, rule: PictureRule, purpose: str) -> tuple[Picture, bytes]:
        known = (image.url, f"{purpose} {image.alt}")
        with self._lock:
            if known in self._prepared:
                self._prepared.move_to_end(known)
                return self._prepared[known]
        with lent():
            fetched = fetch(image.url, max_bytes=LARGEST, seconds=SECONDS, trusted_hosts=self._trusted)
        made = _named(prepare(fetched.body, rule, alt=image.alt))
        with self._lock:
            self._prepared[known] = made
            while len(self._prepared) > REMEMBERED:
                self._prepared.popitem(last=False)
        return made


def _hosts(config: Config) -> list[str]:
    """The places that the owner himself named: his blog may lie in his own network."""
    urls = [getattr(source.settings, "url", "") for source in config.sources.values()]
    return [host_and_port(str(url)) for url in urls if str(url).startswith("http")]


def _place(wanted: str, network: type[Network], message: Message) -> str:
    """Where a picture goes: in the card that we make, attached, or nowhere."""
    if wanted == "card" and "card" in network.carries and message.card is not None:
        return "card"
    attaches = wanted == "attach" or (network.pictured and wanted != "none")
    return "attach" if attaches and "attach" in network.carries else ""


def _placed(message: Message, picture: Picture, place: str, notes: tuple[str, ...]) -> Message:
    """The message with its picture."""
    told = replace(message, notes=(*message.notes, *notes))
    if place == "card" and told.card is not None:
        return replace(told, card=replace(told.card, picture=picture))
    return replace(told, pictures=(picture,))


def _linked(message: Message, limit: Limit) -> Message:
    """As the network will send it: the link in the text that the pictures go with."""
    parts = list(message.parts)
    parts[message.carrier] = with_link(parts[message.carrier], message.link, limit)
    return replace(message, parts=tuple(parts))


def _named(made: Recoded) -> tuple[Picture, bytes]:
    told: dict[str, Any] = {"mime": made.mime, "width": made.width, "height": made.height, "alt": made.alt}
    return Picture(digest=hashlib.sha256(made.data).hexdigest(), size=len(made.data), **told), made.data
