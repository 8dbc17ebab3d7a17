"""RSS, Atom and RDF, by feedparser: from bytes only, for it would open a path or fetch an address."""

from __future__ import annotations

import re
from calendar import timegm
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from xml.sax import SAXException

import feedparser

from reverberate.model import Image
from reverberate.sources.articles import Unreadable, article, moment, oldest_first
from reverberate.text.markup import absolute, plain, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.model import Post

ROOT_END: Final = re.compile(rb"</(?:rss|feed|(?:\w+:)?RDF)\s*>", re.IGNORECASE)
TAIL: Final = 8192
OVERRIDE: Final = "reverberate_"
"""feedparser's way to write ``<reverberate:NAME>``."""
ADDRESS: Final = re.compile(r"[<(]?[^\s<>()@]+@[^\s<>()@]+[>)]?")
FOOTER: Final = re.compile(r"(?:^|\n)The post .{1,500} appeared first on .{1,300}\.\s*$")
"""A line that a widespread WordPress plug-in puts under every entry."""


def posts(body: bytes, *, url: str, content_type: str, newest: int) -> tuple[list[Post], list[str], int]:
    """The posts of a feed, oldest first; a note for each oddity; and the feed's ``ttl`` in minutes (0 if none).

    Raises:
        Unreadable: it is no feed, or it is cut off.
    """
    headers = {"content-type": _content_type(body, content_type), "content-location": url}
    read = feedparser.parse(BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    notes = _judge(read, body)
    found = []
    for entry in oldest_first(read.entries, _when, newest=newest):
        try:
            found.append(post(entry, feed=read.feed, base=url))
        except (Unreadable, ValueError, TypeError, KeyError, AttributeError) as error:
            notes.append(f"an entry is left out ({entry.get('title') or entry.get('id') or 'no title'}): {error}"[:300])
    return found, notes, _minutes(read.feed.get("ttl"))


def post(entry: Any, *, feed: Any, base: str) -> Post:
    """One entry as a post.

    Raises:
        Unreadable: it has no address.
    """
    page = _page(entry, base=base)
    content = (entry.get("content") or [{}])[0]
    own_summary = _marked(entry, "summary") if "summary_detail" in entry else ""
    html = content.get("value") or entry.get("summary") or ""
    relative_to = content.get("base") if content.get("base") not in {None, "", base} else page
    return article(
        url=page,
        base=relative_to,
        title=_marked(entry, "title"),
        summary=FOOTER.sub("", own_summary),
        text=FOOTER.sub("", plain(html)),
        html=html,
        author=_author(entry) or _author(feed),
        tags=[unescaped(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", [])],
        images=_images(entry, base=page),
        thumbnails=[Image(url=absolute(each.get("url", ""), base=page)) for each in entry.get("media_thumbnail", [])],
        language=content.get("language")
        or (entry.get("title_detail") or {}).get("language")
        or feed.get("language", ""),
        published=_moment(entry, "published"),
        updated=_moment(entry, "updated"),
        guid=entry.get("id", ""),
        site=_marked(feed, "title"),
        extra=_overrides(entry),
    )


def _content_type(body: bytes, given: str) -> str:
    """What the bytes themselves say counts more than what a server says of them: UTF-8 is hardly ever a chance."""
    charset = re.search(r"charset=[\"']?([\w.:-]+)", given, re.IGNORECASE)
    name = charset[1] if charset else ""
    with suppress(UnicodeDecodeError):
        body.decode("utf-8")
        name = name if b"\0" in body else "utf-8"  # UTF-16 is full of zeros
    return f"application/xml; charset={name}" if name else "application/xml"


def _judge(read: Any, body: bytes) -> list[str]:
    broken = read.get("bozo_exception")
    if not read.get("version") and not read.entries:
        raise Unreadable("it is no feed", hint="is this the feed's own address?")
    if isinstance(broken, feedparser.CharacterEncodingOverride):
        return [f"the feed's encoding is not what it says: {broken}"]
    if not isinstance(broken, SAXException):
        return []
    if b"<!ENTITY" in body:
        raise Unreadable("the entities that it declares cannot be used")
    if not ROOT_END.search(body[-TAIL:].replace(b"\0", b"")):
        raise Unreadable("the feed is cut off: its end is missing")
    return [f"the feed is not well-formed XML ({broken}); what could be read was taken"]


def _page(entry: Any, *, base: str) -> str:
    enclosures = [link.get("href", "") for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    for link in (entry.get("feedburner_origlink"), entry.get("link"), *enclosures, entry.get("id")):
        if link and (page := absolute(link, base=base)):
            return page
    raise Unreadable("it has no link")


def _marked(holder: Any, name: str) -> str:
    """A text that may be HTML, as its document says or as it looks."""
    value = holder.get(name) or ""
    kind = (holder.get(f"{name}_detail") or {}).get("type", "")
    return plain(value) if "html" in kind else value


def _author(holder: Any) -> str:
    names = [author.get("name", "") for author in holder.get("authors", [])]
    if len(names) == 1:
        names = [ADDRESS.sub("", holder.get("author", ""))]  # feedparser cuts some addresses in the middle
    return ", ".join(plain(name).strip("() ") for name in names if name.strip("() "))


def _images(entry: Any, *, base: str) -> Iterator[Image]:
    links = [link for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    for media in [*entry.get("media_content", []), *links]:
        kind = media.get("type") or ""
        if media.get("medium") == "image" or kind.startswith("image/"):
            yield Image(url=absolute(media.get("url") or media.get("href") or "", base=base))


def _overrides(entry: Any) -> dict[str, Any]:
    own = {name.removeprefix(OVERRIDE): value for name, value in entry.items() if name.startswith(OVERRIDE)}
    return {"reverberate": own} if own else {}


def _when(entry: Any) -> datetime | None:
    return _moment(entry, "published") or _moment(entry, "updated")


def _moment(entry: Any, name: str) -> datetime | None:
    parsed = dict.get(entry, f"{name}_parsed")  # not entry.get: feedparser would offer one date for the other
    try:
        return moment(datetime.fromtimestamp(timegm(parsed), tz=UTC)) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _minutes(text: object) -> int:
    return int(text) if isinstance(text, str) and re.fullmatch(r"\d{1,6}", text.strip()) else 0
