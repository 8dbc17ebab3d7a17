"""Text as a network wants it written, so that it is read as it is meant: what would be markup there is escaped. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Escape(StrEnum):
    """The rules there are."""

    NONE = ""
    CHARACTERS = "characters"
    """Without U+FEFF, U+FFFE and U+FFFF: X takes no text that has one of them."""
    LITTLE = "little text"
    """LinkedIn's: a backslash before what is reserved, links included. A reserved character that stands bare ends the
    post there without an error. ``#tag`` stays a hashtag; a name after ``@`` is no mention without its URN."""
    ENTITIES = "entities"
    """``&``, ``<`` and ``>`` as HTML writes them: Telegram's parse mode HTML, Slack's mrkdwn; links included."""
    MARKDOWN = "markdown"
    """Discord's: a backslash before what would be emphasis, code, a spoiler, a masked link, a mention, a heading, a
    quote or a list. Links stay as they are."""


ESCAPES: Final[Mapping[str, Escape]] = MappingProxyType(
    {
        "twitter": Escape.CHARACTERS,
        "linkedin": Escape.LITTLE,
        "telegram": Escape.ENTITIES,
        "slack": Escape.ENTITIES,
        "discord": Escape.MARKDOWN,
        "reddit_self": Escape.MARKDOWN,
    }
)
"""By the network's name; one that is not here takes a text as it is."""

_NO_CHARACTERS: Final = re.compile(r"[\ufeff\ufffe\uffff]")
_RESERVED: Final = re.compile(r"[\\|{}@\[\]()<>*_~]|#(?!\w)|(?<=\w)#")
_MARKUP: Final = re.compile(
    r"(?P<link>https?://[^\s<>`|]+)|^(?P<indent>[ \t]*)(?P<block>#{1,3}(?=[ \t])|-(?=#?[ \t])|\+(?=[ \t])|>)|[\\*_~`|<\[\]]",
    re.MULTILINE,
)


def escape(text: str, network: str) -> str:
    """``text`` as it is sent to ``network``."""
    return written(text, ESCAPES.get(network, Escape.NONE))


def written(text: str, rule: Escape) -> str:
    """``text`` escaped by one rule. Escaping twice shows the first escape: it is done once, when a part is sent."""
    match rule:
        case Escape.NONE:
            return text
        case Escape.CHARACTERS:
            return _NO_CHARACTERS.sub("", text)
        case Escape.LITTLE:
            return _RESERVED.sub(r"\\\g<0>", text)
        case Escape.ENTITIES:
            return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        case Escape.MARKDOWN:
            return _MARKUP.sub(_marked, text)


def _marked(match: re.Match[str]) -> str:
    if match["link"]:
        return match["link"]
    if match["block"]:
        return f"{match['indent']}\\{match['block']}"
    return f"\\{match[0]}"
