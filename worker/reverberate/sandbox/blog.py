"""A small blog with real feeds, for the demo and for tests: RSS, Atom and JSON Feed, with ETag and 304."""

from __future__ import annotations

import hashlib
import html
import json
import re
import threading
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from reverberate.sandbox import pages
from reverberate.sandbox.blobs import Blobs, kind_of
from reverberate.sandbox.control import foreign
from reverberate.sandbox.exchange import Answer, plainly
from reverberate.sandbox.feeds import FEEDS, TITLE, Article, rows
from reverberate.sandbox.server import Server
from reverberate.sources.files import read_post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from reverberate.sandbox.exchange import Request

OLDER = (
    ("Hello, world", "The first post of a blog says hello, and means it.", ("meta",)),
    ("Why your words belong on your own site", "Networks come and go; an address of your own stays.", ("open web",)),
    ("A feed is a promise", "Whoever subscribes is told, whatever an algorithm thinks of it.", ("feeds", "rss")),
)
"""The oldest first; they are there before anything is published."""


class Blog:
    """Serves its articles from ``folder``; what it holds already is there again."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._path, self._lock, self._pictures = folder / "articles.json", threading.Lock(), Blobs(folder / "images")
        self._articles = self._read()
        self._server = Server(plainly(self._answer), host=host, port=port)
        self.url = self._server.url
        if not self._articles:
            for months, (title, summary, tags) in zip((3, 2, 1), OLDER, strict=True):
                when = datetime.now(UTC) - timedelta(days=30 * months)
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
        self,
        title: str,
        body: str,
        *,
        summary: str = "",
        tags: Sequence[str] = (),
        image: bytes = b"",
        alt: str = "",
        when: datetime | None = None,
    ) -> str:
        """Publish an article; returns its address.

        Args:
            title: also makes the address.
            body: HTML if it begins with a tag, else Markdown.
            summary: plain text.
            tags: without #.
            image: a PNG, JPEG, GIF or WebP; what is none is left out.
            alt: what the image shows.
            when: now by default.
        """
        kind = kind_of(image)
        moment = (when or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        with self._lock:
            article = Article(
                slug=self._free(_slug(title)),
                title=title,
                body=body if body.lstrip().startswith("<") else _markdown(body),
                summary=summary,
                tags=tuple(tags),
                published=moment.isoformat(),
                image=self._pictures.put(image) if kind else "",
                kind=kind,
                size=len(image) if kind else 0,
                alt=alt,
            )
            self._write([article, *self._articles])
        return f"{self.url}/{article.slug}"

    def _free(self, slug: str) -> str:
        taken = {article.slug for article in self._articles} | {"publish"}
        return next(name for n in range(len(taken) + 1) if (name := f"{slug}-{n + 1}" if n else slug) not in taken)

    def _read(self) -> list[Article]:
        if not self._path.exists():
            return []
        found = json.loads(self._path.read_text(encoding="utf-8"))
        return [Article(**row | {"tags": tuple(row["tags"])}) for row in found]

    def _write(self, articles: list[Article]) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(rows(articles)), encoding="utf-8")
        part.replace(self._path)
        self._articles = articles

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["publish"]:
                return self._published(request)
            case "GET" | "HEAD", [name] if f"/{name}" in FEEDS:
                return self._feed(request)
            case "GET" | "HEAD", ["style.css"]:
                return Answer(body=pages.STYLE, kind="text/css; charset=utf-8")
            case "GET" | "HEAD", ["images", cid] if kind := kind_of(contents := self._pictures.get(cid)):
                return Answer(body=contents, kind=kind, headers={"X-Content-Type-Options": "nosniff"})
            case "GET" | "HEAD", [slug]:
                return self._page(request, slug)
            case _:
                return Answer.html(_page("Not here", "<h1>Not here</h1>"), 404)

    def _published(self, request: Request) -> Answer:
        """POST /publish, a form or JSON: title, body, and what else publish() takes in words."""
        given = {name: value for name, value in request.fields.items() if isinstance(value, str)}
        if foreign(request):
            return Answer.of({"error": "only programs of your own may publish here"}, 403)
        if not given.get("title", "").strip() or not given.get("body", "").strip():
            return Answer.of({"error": "title and body are needed"}, 422)
        tags = [tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()]
        url = self.publish(given["title"], given["body"], summary=given.get("summary", ""), tags=tags)
        return Answer.of({"url": url}, 201).told(Location=url)

    def _feed(self, request: Request) -> Answer:
        make, kind = FEEDS[request.path]
        articles = self._articles
        body = make(articles, request.base).encode()
        etag, newest = f'"{hashlib.sha256(body).hexdigest()[:16]}"', max(article.when for article in articles)
        headers = {"ETag": etag, "Last-Modified": format_datetime(newest, usegmt=True), "Cache-Control": "no-cache"}
        if _is_known(request, etag, newest):
            return Answer(status=304, kind=kind, headers=headers)
        return Answer(body=body, kind=f"{kind}; charset=utf-8", headers=headers)

    def _page(self, request: Request, slug: str) -> Answer:
        if not slug:
            return Answer.html(_page(TITLE, _contents(self._articles), head=_alternates()))
        for article in self._articles:
            if article.slug == slug:
                return Answer.html(_page(article.title, _article(article), head=_about(article, request.base)))
        return Answer.html(_page("Not here", "<h1>Not here</h1>"), 404)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "post"


def _is_known(request: Request, etag: str, newest: datetime) -> bool:
    """Whether the client has this already; its ETag counts before its date."""
    if given := request.headers.get("if-none-match", ""):
        return given == "*" or etag in (one.strip().removeprefix("W/") for one in given.split(","))
    try:
        return parsedate_to_datetime(request.headers.get("if-modified-since", "")) >= newest
    except (ValueError, TypeError):  # no date; TypeError: one without a time zone
        return False


def _markdown(text: str) -> str:
    """As HTML, by the renderer that reads the blogger's own files."""
    return read_post(f"---\ntitle: A post\nurl: https://blog.example/\n---\n{text}", kind="markdown").html


def _page(title: str, body: str, *, head: str = "") -> str:
    menu = "".join(f'<a href="{path}">{name}</a> ' for path, name in _FEED_NAMES)
    return pages.page(title, f'<nav><a href="/">{TITLE}</a> {menu}</nav><main>{body}</main>', head=head, kind="blog")


_FEED_NAMES = (("/feed.xml", "RSS"), ("/atom.xml", "Atom"), ("/feed.json", "JSON"))


def _contents(articles: Sequence[Article]) -> str:
    items = "".join(
        f'<article><h2><a href="/{a.slug}">{html.escape(a.title)}</a></h2><p>{html.escape(a.summary)}</p>'
        f'<p class="muted">{a.when:%d %B %Y}</p></article>'
        for a in articles
    )
    return f"<h1>{TITLE}</h1>{items}"


def _article(article: Article) -> str:
    image = f'<p><img src="/images/{article.image}" alt="{html.escape(article.alt)}"></p>' if article.image else ""
    tags = html.escape(" ".join(f"#{tag.replace(' ', '')}" for tag in article.tags))
    foot = f'<p class="muted">{article.when:%d %B %Y} {tags}</p>'
    return f"<article><h1>{html.escape(article.title)}</h1>{image}{article.body}{foot}</article>"


def _alternates() -> str:
    return "".join(f'<link rel="alternate" type="{kind}" href="{path}">' for path, (_, kind) in FEEDS.items())


def _about(article: Article, base: str) -> str:
    tags = {
        "og:title": article.title,
        "og:description": article.summary,
        "og:type": "article",
        "og:url": f"{base}/{article.slug}",
        "og:site_name": TITLE,
        "article:published_time": article.published,
    }
    if article.image:
        tags |= {"og:image": f"{base}/images/{article.image}", "og:image:alt": article.alt}
    metas = "".join(f'<meta property="{name}" content="{html.escape(text)}">' for name, text in tags.items())
    return f'{metas}<link rel="canonical" href="{html.escape(base)}/{article.slug}">{_alternates()}'
