"""The sample blog's feeds: its articles as RSS, Atom and JSON Feed."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TITLE = "The sample blog"
AUTHOR = "A blogger"
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML may not hold, not even escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article of the blog.

    Attributes:
        slug: its address below the blog's.
        title: plain text.
        body: HTML.
        summary: plain text.
        tags: without #.
        published: in ISO 8601, UTC.
        image: the name of its picture, or "".
        kind: the picture's media type.
        size: how many bytes it is.
        alt: what the picture shows.
    """

    slug: str
    title: str
    body: str
    summary: str
    tags: tuple[str, ...]
    published: str
    image: str = ""
    kind: str = ""
    size: int = 0
    alt: str = ""

    @property
    def when(self) -> datetime:
        """``published`` as an instant."""
        return datetime.fromisoformat(self.published)

    @property
    def guid(self) -> str:
        """What stays the same, wherever the blog is served."""
        return f"tag:sample.blog,2026:{self.slug}"


def rows(articles: Iterable[Article]) -> list[dict[str, Any]]:
    """The articles as JSON has them."""
    return [asdict(article) for article in articles]


def rss(articles: Sequence[Article], base: str) -> str:
    """RSS 2.0 of the articles of the blog at ``base``."""
    base = _xml(base)
    spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom"'
    itself = f'<atom:link href="{base}/feed.xml" rel="self" type="application/rss+xml"/>'
    head = (
        f"<title>{TITLE}</title><link>{base}/</link><description>{TITLE}</description><language>en</language>{itself}"
    )
    items = "".join(_rss_item(article, base) for article in articles)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {spaces}><channel>{head}{items}</channel></rss>\n'
    )


def _rss_item(article: Article, base: str) -> str:
    where = f'url="{base}/images/{article.image}" length="{article.size}" type="{article.kind}"'
    picture = f"<enclosure {where}/>" if article.image else ""
    return (
        f"<item><title>{_xml(article.title)}</title><link>{base}/{article.slug}</link>"
        f'<guid isPermaLink="false">{article.guid}</guid>'
        f"<pubDate>{format_datetime(article.when, usegmt=True)}</pubDate>"
        f"<description>{_xml(article.summary)}</description><content:encoded>{_xml(article.body)}</content:encoded>"
        f"{''.join(f'<category>{_xml(tag)}</category>' for tag in article.tags)}{picture}</item>"
    )


def atom(articles: Sequence[Article], base: str) -> str:
    """Atom 1.0, likewise."""
    base = _xml(base)
    newest = max((article.published for article in articles), default="1970-01-01T00:00:00+00:00")
    head = (
        f'<title>{TITLE}</title><id>{base}/</id><link href="{base}/"/><link rel="self" href="{base}/atom.xml"/>'
        f"<updated>{newest}</updated><author><name>{AUTHOR}</name></author>"
    )
    entries = "".join(_atom_entry(article, base) for article in articles)
    space = 'xmlns="http://www.w3.org/2005/Atom" xml:lang="en"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<feed {space}>{head}{entries}</feed>\n'


def _atom_entry(article: Article, base: str) -> str:
    where = f'href="{base}/images/{article.image}" length="{article.size}" type="{article.kind}"'
    picture = f'<link rel="enclosure" {where}/>' if article.image else ""
    return (
        f"<entry><title>{_xml(article.title)}</title><id>{article.guid}</id>"
        f'<link href="{base}/{article.slug}"/>{picture}'
        f"<published>{article.published}</published><updated>{article.published}</updated>"
        f'<summary>{_xml(article.summary)}</summary><content type="html">{_xml(article.body)}</content>'
        f"{''.join(f'<category term={_quoted(tag)}/>' for tag in article.tags)}</entry>"
    )


def json_feed(articles: Sequence[Article], base: str) -> str:
    """JSON Feed 1.1, likewise."""
    head = {"version": "https://jsonfeed.org/version/1.1", "title": TITLE, "language": "en"}
    head |= {"home_page_url": f"{base}/", "feed_url": f"{base}/feed.json"}
    items = [_json_item(article, base) for article in articles]
    return json.dumps(head | {"authors": [{"name": AUTHOR}], "items": items}, ensure_ascii=False)


def _json_item(article: Article, base: str) -> dict[str, Any]:
    item: dict[str, Any] = {"id": article.guid, "url": f"{base}/{article.slug}", "title": article.title}
    item |= {"summary": article.summary, "content_html": article.body, "date_published": article.published}
    return item | {"tags": list(article.tags)} | ({"image": f"{base}/images/{article.image}"} if article.image else {})


def _xml(text: str) -> str:
    return escape(FORBIDDEN.sub("\ufffd", text), {'"': "&quot;"})


def _quoted(text: str) -> str:
    return f'"{_xml(text)}"'


FEEDS: Mapping[str, tuple[Callable[[Sequence[Article], str], str], str]] = {
    "/feed.xml": (rss, "application/rss+xml"),
    "/atom.xml": (atom, "application/atom+xml"),
    "/feed.json": (json_feed, "application/feed+json"),
}
"""By path: what makes it, and its media type."""
