"""Servers that speak Mastodon's API, and how each differs from Mastodon: data, each row with its source.

They are told apart by nodeinfo (nodeinfo.diaspora.software, protocol 2.0), which they all publish.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverberate.text.limits import Limit

EVERY: Final = frozenset({"public", "unlisted", "private"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """What a server's software makes of Mastodon's API.

    Attributes:
        title: its name as people know it.
        limit: how it counts; its maximum holds where the server itself tells none.
        key_holds: how long it keeps an Idempotency-Key; None where it knows none, so that only reading back helps.
        sends_key: whether one is sent; not where a repeated key is an error.
        pictured: whether it takes no post without a picture.
        pictures: how many it takes, where the server itself does not tell.
        alt: how long a picture's words may be, where the server itself does not tell.
        edits, deletes: whether its API can.
        lasting: whether its connections may be used again.
        visibilities: those that it keeps; the others become something else there.
        source: who says so.
    """

    title: str
    limit: Limit
    key_holds: timedelta | None = None
    sends_key: bool = True
    pictured: bool = False
    pictures: int = 4
    alt: int = 1500
    edits: bool = True
    deletes: bool = True
    lasting: bool = True
    visibilities: frozenset[str] = EVERY
    source: str


_PLEROMA: Final = Kin(
    title="Pleroma",
    limit=LIMITS["pleroma"],
    key_holds=timedelta(hours=6),
    source="Pleroma: idempotency plug and its cache's test; docs, Differences in Mastodon API responses",
)
KIN: Final[Mapping[str, Kin]] = MappingProxyType(
    {
        "mastodon": Kin(
            title="Mastodon",
            limit=LIMITS["mastodon"],
            key_holds=timedelta(hours=1),
            source="docs.joinmastodon.org: statuses, POST, Idempotency-Key; StatusLengthValidator",
        ),
        "hometown": Kin(
            title="Hometown",
            limit=LIMITS["mastodon"],
            key_holds=timedelta(hours=1),
            source="a fork of Mastodon that keeps its rules",
        ),
        "gotosocial": Kin(
            title="GoToSocial",
            limit=LIMITS["gotosocial"],
            pictures=6,
            source="GoToSocial: validate.Status counts runes of text and warning, links whole; issue 2723: no key",
        ),
        "pleroma": _PLEROMA,
        "akkoma": replace(_PLEROMA, title="Akkoma", source="Akkoma: as Pleroma, of which it is a fork"),
        "pixelfed": Kin(
            title="Pixelfed",
            limit=LIMITS["pixelfed"],
            sends_key=False,
            pictured=True,
            pictures=10,
            alt=1000,
            edits=False,
            source="Pixelfed: ApiV1Controller::statusCreate, where a repeated key is a 400 even if nothing was posted",
        ),
        "friendica": Kin(
            title="Friendica",
            limit=LIMITS["friendica"],
            edits=False,
            source="Friendica: Module/Api/Mastodon/Statuses.php (no key, no edit; the warning becomes the title)",
        ),
        "snac": Kin(
            title="snac",
            limit=LIMITS["snac"],
            deletes=False,
            lasting=False,
            visibilities=frozenset({"public", "private"}),
            source="snac 2.75 itself: two statuses for one key, unlisted comes back public, DELETE is 404, it closes after"
            " each answer without saying so",
        ),
        "takahe": Kin(
            title="Takahe",
            limit=LIMITS["takahe"],
            source="Takahe: api/views/statuses.py (code points of the text alone; no key)",
        ),
    }
)
"""By the name that nodeinfo tells. Whoever is not here is taken for Mastodon, and believed in what it tells."""


def kin_of(software: str) -> Kin:
    """The row of a server's software."""
    return KIN.get(software.lower(), KIN["mastodon"])


def counted(kin: Kin, instance: Mapping[str, Any], *, source: str) -> Limit:
    """The limit that holds on a server: its own maximum, counted as its software counts.

    ``instance`` is what it answers to /api/v2/instance or /api/v1/instance. Only Mastodon and those that count like it
    are believed where they say that links count less; GoToSocial says so and counts them whole.
    """
    told = statuses(instance)
    maximum = told.get("max_characters") or instance.get("max_toot_chars") or kin.limit.maximum
    link = None if kin.limit.link is None else told.get("characters_reserved_per_url") or kin.limit.link
    return replace(kin.limit, maximum=int(maximum), link=None if link is None else int(link), source=source)


def statuses(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a server tells of statuses."""
    return _configured(instance, "statuses")


def media(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a server tells of attachments."""
    return _configured(instance, "media_attachments")


def _configured(instance: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    every = instance.get("configuration")
    found = every.get(part) if isinstance(every, dict) else None
    return found if isinstance(found, dict) else {}


def software(ask: Callable[[str], Mapping[str, Any]], base: str) -> str:
    """The name of a server's software, by nodeinfo; "" where it publishes none.

    ``ask`` gets the JSON object at a path of the server and may raise an Outcome; ``base`` is the path at which the
    server's own root lies, and nodeinfo is asked for nowhere else, whatever host it names.
    """
    links = ask("/.well-known/nodeinfo").get("links")
    found = [str(one["href"]) for one in links or () if isinstance(one, dict) and "nodeinfo" in str(one.get("rel"))]
    told = ask(urlsplit(found[-1]).path.removeprefix(base)).get("software") if found else None
    return str(told.get("name", "")) if isinstance(told, dict) else ""
