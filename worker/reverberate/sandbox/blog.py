"""A small blog with a real feed, for the demo and for tests: RSS, Atom and JSON Feed, with ETag and 304."""

from __future__ import annotations

import hashlib
import html
import json
import re
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Self
from xml.sax.saxutils import escape

from reverberate.sandbox.server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from reverberate.sandbox.server import Request

TITLE = "The sample blog"
OLDER = (
    ("Hello, world", "The first post of a blog says hello, and means it.", ("meta",)),
    ("Why your words belong on your own site", "Networks come and go; an address of your own stays.", ("open web",)),
    ("A feed is a promise", "Whoever subscribes is told, whatever an algorithm thinks of it.", ("feeds", "rss")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article of the blog; ``published`` in ISO 8601."""

    slug: str
    title: str
    body: str
    summary: str
    tags: tuple[str, ...]
    published: str


class Blog:
    """Serves its articles from ``folder``; what it holds already is there again."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = folder / "articles.json", threading.Lock()
        self._articles = self._read()
        self._server = Server(self._answer, host=host, port=port)
        self.url = self._server.url
        if not self._articles:
            for age, (title, summary, tags) in enumerate(reversed(OLDER), start=1):
                when = datetime.now(UTC) - timedelta(days=30 * (len(OLDER) + 1 - age))
                self.publish(title, f"<p>{summary}</p>", summary=summary, tags=tags, when=when)

    def start(self) -> None:
        """Serve from now on."""
        self._server.start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def publish(
        self, title: str, body: str, *, summary: str = "", tags: Sequence[str] = (), when: datetime | None = None
    ) -> str:
        """Publish an article (``body`` is HTML); returns its address."""
        stamp = (when or datetime.now(UTC)).isoformat(timespec="seconds")
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "post"
        with self._lock:
            taken = {article.slug for article in self._articles}
            slug = next(name for n in range(len(taken) + 1) if (name := f"{slug}-{n + 1}" if n else slug) not in taken)
            article = Article(slug=slug, title=title, body=body, summary=summary, tags=tuple(tags), published=stamp)
            self._articles = [article, *self._articles]
            self._path.write_text(json.dumps([asdict(one) for one in self._articles]), encoding="utf-8")
        return f"{self.url}/{slug}"

    def _read(self) -> list[Article]:
        if not self._path.exists():
            return []
        rows = json.loads(self._path.read_text(encoding="utf-8"))
        return [Article(**row | {"tags": tuple(row["tags"])}) for row in rows]

    def _answer(self, request: Request) -> Answer:
        feeds: dict[str, tuple[Callable[[str], str], str]] = {
            "/feed.xml": (self._rss, "application/rss+xml"),
            "/atom.xml": (self._atom, "application/atom+xml"),
            "/feed.json": (self._json, "application/feed+json"),
        }
        if request.path in feeds:
            make, kind = feeds[request.path]
            return self._feed(request, make(request.base), kind)
        if request.path == "/":
            items = "".join(f'<li><a href="/{a.slug}">{html.escape(a.title)}</a></li>' for a in self._articles)
            return Answer.html(_page(TITLE, f"<h1>{TITLE}</h1><ul>{items}</ul>", head=_ALTERNATE))
        for article in self._articles:
            if request.path == f"/{article.slug}":
                return Answer.html(
                    _page(article.title, f"<h1>{html.escape(article.title)}</h1>{article.body}", head=_og(article))
                )
        return Answer.html(_page("Not here", "<h1>Not here</h1>"), 404)

    def _feed(self, request: Request, text: str, kind: str) -> Answer:
        body = text.encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        newest = max((datetime.fromisoformat(a.published) for a in self._articles), default=datetime.now(UTC))
        headers = {"ETag": etag, "Last-Modified": format_datetime(newest, usegmt=True)}
        if request.headers.get("if-none-match") == etag:
            return Answer(status=304, headers=headers, kind=kind)
        return Answer(body=body, kind=f"{kind}; charset=utf-8", headers=headers)

    def _rss(self, base: str) -> str:
        items = "".join(
            f"<item><title>{escape(a.title)}</title><link>{base}/{a.slug}</link>"
            f'<guid isPermaLink="false">tag:sample.blog,2026:{a.slug}</guid>'
            f"<pubDate>{format_datetime(datetime.fromisoformat(a.published), usegmt=True)}</pubDate>"
            f"<description>{escape(a.summary)}</description><content:encoded>{escape(a.body)}</content:encoded>"
            f"{''.join(f'<category>{escape(tag)}</category>' for tag in a.tags)}</item>"
            for a in self._articles
        )
        spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        head = f"<title>{TITLE}</title><link>{base}/</link><description>{TITLE}</description><language>en</language>"
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {spaces}><channel>{head}{items}</channel></rss>'
        )

    def _atom(self, base: str) -> str:
        entries = "".join(
            f"<entry><title>{escape(a.title)}</title><id>tag:sample.blog,2026:{a.slug}</id>"
            f'<link href="{base}/{a.slug}"/><published>{a.published}</published><updated>{a.published}</updated>'
            f'<summary>{escape(a.summary)}</summary><content type="html">{escape(a.body)}</content>'
            f"{''.join(f'<category term={chr(34)}{escape(tag)}{chr(34)}/>' for tag in a.tags)}</entry>"
            for a in self._articles
        )
        head = f'<title>{TITLE}</title><id>{base}/</id><link href="{base}/"/>'
        return f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}</feed>'

    def _json(self, base: str) -> str:
        items = [
            {"id": f"tag:sample.blog,2026:{a.slug}", "url": f"{base}/{a.slug}", "title": a.title, "summary": a.summary}
            | {"content_html": a.body, "date_published": a.published, "tags": list(a.tags)}
            for a in self._articles
        ]
        head = {"version": "https://jsonfeed.org/version/1.1", "title": TITLE, "home_page_url": f"{base}/"}
        return json.dumps(head | {"items": items})


_ALTERNATE = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'


def _og(article: Article) -> str:
    tags = {"og:title": article.title, "og:description": article.summary, "og:type": "article"}
    return "".join(f'<meta property="{name}" content="{html.escape(text, quote=True)}">' for name, text in tags.items())


def _page(title: str, body: str, *, head: str = "") -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>{head}<body>{body}</html>'
