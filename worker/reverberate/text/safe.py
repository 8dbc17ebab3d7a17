"""A stranger's HTML made safe to publish in one's own name. Pure, and linear in time like the parser that it stands on.

What is kept is a list: elements that say something, attributes that harm nobody, addresses of the web. Everything else
leaves, its words stay. What is not closed is closed.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from reverberate.text.markup import UNWANTED, Tag, absolute, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 900_000
"""Characters; what comes after is left out."""
DEEPEST: Final = 100
"""So many elements may lie in each other; deeper ones leave, their words stay."""
VOID: Final = frozenset({"br", "hr", "img", "source", "wbr"})
ELEMENTS: Final = VOID | frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote caption cite code col colgroup dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4"
        " h5 h6 i ins kbd li mark ol p picture pre q rp rt ruby s samp small span strong sub summary sup table tbody td"
        " tfoot th thead time tr u ul var audio video",
    )
)
ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "audio": frozenset({"src", "controls"}),
    "video": frozenset({"src", "controls", "poster", "width", "height"}),
    "source": frozenset({"src", "type"}),
    "ol": frozenset({"start", "reversed"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
    "abbr": frozenset({"title"}),
    "blockquote": frozenset({"cite"}),
    "q": frozenset({"cite"}),
}
EVERYWHERE: Final = frozenset({"lang", "dir"})
ADDRESSES: Final = frozenset({"href", "src", "poster", "cite"})


def safe(html: str, *, base: str) -> str:
    """The same words, without what could run, track or break out; ``base`` makes its addresses whole."""
    made: list[str] = []
    there: list[str] = []
    length = 0
    for piece in pieces(html):
        part = escape(UNWANTED.sub("", piece), quote=False) if isinstance(piece, str) else _tagged(piece, there, base)
        length += len(part)
        if length > LONGEST:
            break
        made.append(part)
    return "".join([*made, *(f"</{name}>" for name in reversed(there))]).strip()


def _tagged(tag: Tag, there: list[str], base: str) -> str:
    """A tag as it may stand; ``there`` are the elements that are open, and is kept."""
    if tag.name not in ELEMENTS:
        return ""
    if tag.closes:
        return _closed(tag.name, there)
    if tag.name not in VOID:
        if len(there) == DEEPEST:
            return ""
        there.append(tag.name)
    return f"<{tag.name}{_attributes(tag, base)}>"


def _closed(name: str, there: list[str]) -> str:
    """The end of an element, and of those that were left open in it."""
    if name not in there:
        return ""
    ended = ""
    while (last := there.pop()) != name:
        ended += f"</{last}>"
    return f"{ended}</{name}>"


def _attributes(tag: Tag, base: str) -> str:
    kept = ATTRIBUTES.get(tag.name, frozenset()) | EVERYWHERE
    made = ""
    for name, given in tag.attributes.items():
        value = _address(given, base) if name in ADDRESSES else UNWANTED.sub("", given)
        if name in kept and (value or name not in ADDRESSES):
            made += f' {name}="{escape(value)}"'
    return made


def _address(given: str, base: str) -> str:
    """The address made whole; "" unless it is one of the web or of a mailbox."""
    return given.strip() if given.strip().lower().startswith("mailto:") else absolute(given, base=base)
