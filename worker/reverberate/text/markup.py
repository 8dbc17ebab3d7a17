"""What a stranger's HTML says: its words, its pictures, its links. Pure, and linear in time whatever is fed to it.

The standard library's parser takes quadratic time for some broken documents, so the document is cut into tags and
text here, by the rules by which browsers cut it: every character is looked at once, and what is not closed ends with
the document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_TEXT: Final = 200_000
BEGINS: Final = re.compile(r"<(?=[a-zA-Z/!?])")
"""A ``<`` before anything else is text."""
NAME: Final = re.compile(r"[a-zA-Z][^\s/>]*")
BEFORE_ATTRIBUTE: Final = re.compile(r"[\s/]*")
ATTRIBUTE: Final = re.compile(r"=?[^\s/>=]*")
EQUALS: Final = re.compile(r"\s*=\s*")
BARE_VALUE: Final = re.compile(r"[^\s>]*")
UNREAD: Final = frozenset({"script", "style", "template", "iframe", "noembed", "noframes", "object", "svg", "math"})
UNREAD_END: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in UNREAD | {"title", "textarea"}}
PARAGRAPHS: Final = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote dd details dl dt div fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6"
        " header hr main nav ol p pre section table ul",
    )
)
LINES: Final = frozenset({"br", "tr", "summary"})
CELLS: Final = frozenset({"td", "th"})
INDENT, QUOTE, UNQUOTE = "\ue010", "\ue011", "\ue012"
"""Stand for what the tidying of space would take away, until it is done."""
_OURS: Final = dict.fromkeys(map(ord, (INDENT, QUOTE, UNQUOTE)))
UNWANTED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\xad\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
"""What no text needs, and some databases and networks refuse: control and direction characters, half surrogates."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a document: ``<name attributes>``, or ``</name>`` where ``closes``."""

    name: str
    closes: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in a document, its address made whole."""

    url: str
    alt: str


def plain(html: str, *, links: bool = False) -> str:
    """The words of an HTML document or fragment: no markup, entities undone once.

    Paragraphs stand apart by an empty line, items of a list have a dash or their number, quotes a ``>``, code keeps its
    indentation. With ``links`` the address of each link follows its words in brackets.
    """
    words = _Words(links=links)
    for piece in pieces(html):
        if words.length > LONGEST_TEXT:
            break
        words.add(piece)
    return words.whole()


def tidy(text: str) -> str:
    """Plain text without odd characters and superfluous space; line ends stay."""
    lines = (
        " ".join(line.split()) for line in UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def pictures(html: str, *, base: str) -> Iterator[Picture]:
    """The images that are there to be looked at: no emoji, no counting pixels, nothing but http addresses."""
    for piece in pieces(html):
        if isinstance(piece, Tag) and piece.name == "img" and not _is_emoji(piece) and not _is_pixel(piece):
            given = piece.attributes.get("src", "")
            lazy = piece.attributes.get("data-src", "")
            url = absolute(lazy if lazy and not given.startswith("http") else given, base=base)
            if url:
                yield Picture(url, tidy(piece.attributes.get("alt", "")))


def absolute(link: str, *, base: str) -> str:
    """The http address that a link stands for, or "" if it is none."""
    try:
        whole = urljoin(base, link.strip().replace(" ", "%20")) if link.strip() else ""
        parts = urlsplit(whole)
    except ValueError:
        return ""
    return UNWANTED.sub("", whole) if parts.scheme in {"http", "https"} and parts.netloc else ""


def feeds(html: str, *, base: str) -> list[str]:
    """The feeds that a page names."""
    found = []
    for piece in pieces(html):
        if isinstance(piece, Tag) and piece.name == "link" and "alternate" in piece.attributes.get("rel", "").lower():
            kind = piece.attributes.get("type", "").lower()
            if re.search(r"(rss|atom|rdf)\+xml|feed\+json", kind):
                found.append(absolute(piece.attributes.get("href", ""), base=base))
    return [url for url in dict.fromkeys(found) if url]


def pieces(html: str) -> Iterator[Tag | str]:
    """The document cut into tags and runs of text (entities undone), without comments and what is not for reading."""
    at = 0
    while at < len(html):
        begins = BEGINS.search(html, at)
        start = begins.start() if begins else len(html)
        if start > at:
            yield unescaped(html[at:start])
        found, at = _cut(html, start)
        yield from found


def unescaped(text: str) -> str:
    """Text with its HTML entities undone, once."""
    try:
        return unescape(text)
    except ValueError:  # a number of more digits than Python reads
        return text


def _cut(html: str, start: int) -> tuple[list[Tag | str], int]:
    """What the ``<`` there begins, and where it ends."""
    closes = html.startswith("/", start + 1)
    named = NAME.match(html, start + 1 + closes)
    if not named:
        return [], _end_of_no_tag(html, start)
    name = named[0].lower()
    attributes, at = _attributes(html, named.end())
    if at > len(html):
        return [], at
    tag = Tag(name, closes, attributes)
    if closes or name not in UNREAD_END:
        return [tag], at
    end = UNREAD_END[name].search(html, at)
    until = end.start() if end else len(html)
    return [tag] if name in UNREAD else [tag, unescaped(html[at:until])], until


def _end_of_no_tag(html: str, start: int) -> int:
    if html.startswith("<!--", start):
        return _after(html, "-->", start + 4)
    if html.startswith("<![CDATA[", start):
        return _after(html, "]]>", start + 9)
    return _after(html, ">", start + 1)


def _after(html: str, end: str, start: int) -> int:
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes from there on, and where the tag ends (behind the document's end if it does not)."""
    found: dict[str, str] = {}
    while True:
        at = _end(BEFORE_ATTRIBUTE, html, at)
        if at >= len(html):
            return found, len(html) + 1
        if html[at] == ">":
            return found, at + 1
        named = at
        at = _end(ATTRIBUTE, html, at)
        name = html[named:at].lower()
        equals = EQUALS.match(html, at)
        value = ""
        if equals:
            value, at = _value(html, equals.end())
        found.setdefault(name, value)


def _value(html: str, at: int) -> tuple[str, int]:
    quote = html[at : at + 1]
    if quote in {'"', "'"}:
        end = html.find(quote, at + 1)
        return ("", len(html)) if end < 0 else (unescaped(html[at + 1 : end]), end + 1)
    end = _end(BARE_VALUE, html, at)
    return unescaped(html[at:end]), end


def _end(pattern: re.Pattern[str], html: str, at: int) -> int:
    match = pattern.match(html, at)
    return match.end() if match else at


class _Words:
    def __init__(self, *, links: bool) -> None:
        self.length = 0
        self._parts: list[str] = []
        self._preformatted = 0
        self._lists: list[int | None] = []  # the number of the last item of each open list; None where it has dashes
        self._quotes = 0
        self._links = links
        self._link = ("", 0)  # where the open link leads, and how many parts there were when it opened

    def add(self, piece: Tag | str) -> None:
        part = self._tagged(piece) if isinstance(piece, Tag) else self._text(piece)
        self.length += 0 if isinstance(piece, Tag) else len(part)
        self._parts.append(part)

    def whole(self) -> str:
        lines = tidy("".join(self._parts))[:LONGEST_TEXT].replace(INDENT, " ").split("\n")
        return (
            "\n".join(_quoted(lines)).strip()
            if any(QUOTE in line or UNQUOTE in line for line in lines)
            else "\n".join(lines)
        )

    def _text(self, text: str) -> str:
        text = text.translate(_OURS)
        if not self._preformatted:
            return re.sub(r"\s+", " ", text)
        return re.sub(r"(?m)^[ \t]+", lambda spaces: INDENT * len(spaces[0].expandtabs(4)), text)

    def _tagged(self, tag: Tag) -> str:
        if tag.name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if tag.closes else 1))
        if tag.name in {"ul", "ol"}:
            self._list(tag)
        if tag.name == "blockquote":
            return f"\n\n{UNQUOTE if tag.closes else QUOTE}\n\n"
        if tag.name in PARAGRAPHS:
            return "\n\n"
        if tag.name == "li":
            return "" if tag.closes else f"\n{self._bullet()} "
        if tag.name == "a" and self._links:
            return self._linked(tag)
        if tag.name in LINES and not tag.closes:
            return "\n"
        if tag.name in CELLS:
            return " "
        return tag.attributes.get("alt", "") if _is_emoji(tag) else ""

    def _list(self, tag: Tag) -> None:
        if not tag.closes:
            self._lists.append(0 if tag.name == "ol" else None)
        elif self._lists:
            self._lists.pop()

    def _bullet(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "-"
        self._lists[-1] = number + 1
        return f"{number + 1}."

    def _linked(self, tag: Tag) -> str:
        if not tag.closes:
            self._link = (tag.attributes.get("href", ""), len(self._parts))
            return ""
        (address, begun), self._link = self._link, ("", 0)
        words = "".join(self._parts[begun:]).strip()
        return f" ({address})" if address.startswith("http") and words not in {"", address} else ""


def _quoted(lines: list[str]) -> Iterator[str]:
    """The lines with ``>`` before those of quotes, and without the marks of where quotes begin and end."""
    depth, empty = 0, False
    for line in lines:
        if line in {QUOTE, UNQUOTE}:
            depth = max(0, depth + (1 if line == QUOTE else -1))
            if line == UNQUOTE and depth == 0:
                yield ""
        elif line or (not empty and depth == 0):
            yield "> " * depth + line
        empty = line in {"", QUOTE, UNQUOTE}


def _is_emoji(tag: Tag) -> bool:
    return tag.name == "img" and bool({"wp-smiley", "emoji"} & set(tag.attributes.get("class", "").split()))


def _is_pixel(tag: Tag) -> bool:
    return any(tag.attributes.get(side, "").strip().removesuffix("px") in {"0", "1"} for side in ("width", "height"))
