"""How long a message may be on each network, as data, each row with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reverberate.text.escape import Escape

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unit(StrEnum):
    """What a network counts."""

    WEIGHTED = "weighted characters"
    """X: twitter-text configuration v3."""
    GRAPHEMES = "graphemes"
    CHARACTERS = "characters"
    """Unicode code points."""
    UTF16 = "UTF-16 units"
    BYTES = "UTF-8 bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A network's limit on one message part.

    Attributes:
        unit: what is counted.
        maximum: how many of them fit.
        link: what any link counts as, or None where it counts as it is written. With graphemes it means Mastodon's
            rules: links that begin with http(s) count so much, and ``@alice@example.org`` counts as ``@alice``.
        max_bytes: a second limit in UTF-8 bytes, or None.
        escape: the rule by which the text is escaped before it is counted; none where the network counts what it shows.
        tags: how many hashtags it takes, or None.
        source: the vendor's document that says so.
    """

    unit: Unit
    maximum: int
    link: int | None = None
    max_bytes: int | None = None
    escape: Escape = Escape.NONE
    tags: int | None = None
    source: str = ""


def _limit(
    maximum: int,
    unit: Unit,
    source: str,
    *,
    link: int | None = None,
    max_bytes: int | None = None,
    escape: Escape = Escape.NONE,
    tags: int | None = None,
) -> Limit:
    return Limit(unit=unit, maximum=maximum, link=link, max_bytes=max_bytes, escape=escape, tags=tags, source=source)


LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "twitter": _limit(280, Unit.WEIGHTED, "X: Counting characters; twitter-text configuration v3", link=23),
        "facebook": _limit(63_206, Unit.UTF16, "Facebook's answer to longer posts; the unit is the stricter guess"),
        "mastodon": _limit(
            500, Unit.GRAPHEMES, "Mastodon: entity Instance, configuration.statuses (servers differ)", link=23
        ),
        "bluesky": _limit(300, Unit.GRAPHEMES, "lexicon app.bsky.feed.post, property text", max_bytes=3000),
        "memory": _limit(500, Unit.CHARACTERS, "our own choice: a network that lives in memory"),
        "googleplus": _limit(100_000, Unit.CHARACTERS, "Google+ as it was until 2019-04-02"),
        "threads": _limit(500, Unit.BYTES, "Threads API: Posts; what it counts in practice is bytes"),
        "instagram": _limit(
            2200, Unit.UTF16, "Instagram API: media, parameter caption; the unit is the stricter guess", tags=30
        ),
        "linkedin": _limit(
            3000,
            Unit.UTF16,
            "LinkedIn: error FIELD_ARRAY_SIZE_TOO_HIGH of ShareCommentary; that escapes count is the stricter guess",
            escape=Escape.LITTLE,
        ),
        "pinterest": _limit(800, Unit.CHARACTERS, "Pinterest OpenAPI 5.23.0, PinCreate.description"),
        "reddit": _limit(300, Unit.CHARACTERS, "Reddit: title of a link post"),
        "reddit_self": _limit(
            39_000,
            Unit.CHARACTERS,
            "Reddit: text of 40,000, less what a title and escapes take",
            escape=Escape.MARKDOWN,
        ),
        "webhook": _limit(15_000, Unit.BYTES, "Standard Webhooks: payloads of less than 20 kB; the rest is ours"),
        "tumblr": _limit(4096, Unit.CHARACTERS, "Tumblr: NPF specification, text block"),
        "telegram": _limit(
            4096, Unit.UTF16, "Telegram Bot API 10.1, sendMessage.text, after parsing; the unit is the stricter guess"
        ),
        "telegram_caption": _limit(
            1024, Unit.UTF16, "Telegram Bot API 10.1, sendPhoto.caption, after parsing; likewise"
        ),
        "discord": _limit(
            2000,
            Unit.UTF16,
            "Discord: Execute Webhook, content; the unit is the stricter guess",
            escape=Escape.MARKDOWN,
        ),
        "slack": _limit(
            4000, Unit.UTF16, "Slack: chat.postMessage, the length it advises for text", escape=Escape.ENTITIES
        ),
        "google_business": _limit(1500, Unit.CHARACTERS, "Google Business Profile: local posts, summary"),
        "gotosocial": _limit(5000, Unit.CHARACTERS, "GoToSocial: statuses-max-chars; links count as written"),
        "pleroma": _limit(5000, Unit.CHARACTERS, "Pleroma and Akkoma: instance, limit"),
        "pixelfed": _limit(500, Unit.CHARACTERS, "Pixelfed: max_caption_length"),
        "friendica": _limit(
            5000, Unit.CHARACTERS, "Friendica: its instance tells max_toot_chars; 5000 is our careful guess"
        ),
        "snac": _limit(100_000, Unit.CHARACTERS, "snac 2.75: instance, configuration.statuses.max_characters"),
        "takahe": _limit(500, Unit.CHARACTERS, "Takahe: post_length, 500 by default; links count as written"),
        "misskey": _limit(3000, Unit.CHARACTERS, "Misskey: maxNoteTextLength"),
        "lemmy": _limit(200, Unit.CHARACTERS, "Lemmy API v4: a post's name"),
        "matrix": _limit(40_000, Unit.BYTES, "Matrix: an event is at most 65,536 bytes, its envelope included"),
        "nostr": _limit(
            20_000, Unit.BYTES, "no limit in the protocol; relays commonly take 64 KiB for the whole event"
        ),
        "forem": _limit(800_000, Unit.BYTES, "Forem: validation of an article's body"),
        "wordpress": _limit(1_000_000, Unit.BYTES, "no limit of its own; servers take 1 MB everywhere"),
        "ghost": _limit(1_000_000, Unit.BYTES, "no limit of its own; servers take 1 MB everywhere"),
    }
)
"""By the network's name; a plug-in of somebody else brings its own."""
