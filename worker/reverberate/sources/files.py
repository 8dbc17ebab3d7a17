"""A post from a file: Markdown with front matter as static site generators have it, or JSON."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markdown_it import MarkdownIt

from reverberate.errors import SourceError
from reverberate.identity import URI
from reverberate.model import Image
from reverberate.sources.articles import article, moment
from reverberate.sources.frontmatter import Kind, Wrong, kind_of, split
from reverberate.text.markup import absolute, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverberate.model import Post

LONGEST: Final = 5_000_000
MORE: Final = re.compile(r"<!--\s*more\s*-->")
SHORTCODE: Final = re.compile(r"\{\{[<%][^{}]*[%>]\}\}|\{%[^{}]*%\}")
TEMPLATED: Final = re.compile(r"\{\{|/:\w")
"""An address that a site generator has yet to fill in."""
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("canonical_url", "canonicalUrl", "canonicalURL", "url", "link", "permalink"),
    "title": ("title",),
    "summary": ("summary", "description", "excerpt"),
    "text": ("text", "content_text"),
    "html": ("html", "content_html"),
    "author": ("author", "authors"),
    "tags": ("tags", "keywords"),
    "categories": ("categories", "category"),
    "images": ("images", "image", "heroImage", "cover", "featured_image", "banner_image", "thumbnail"),
    "alt": ("image_alt", "imageAlt", "heroImageAlt", "cover_alt", "featured_image_alt", "alt"),
    "language": ("lang", "language", "locale"),
    "published": ("publishDate", "pubDate", "date_published", "date", "published"),
    "updated": ("updated", "lastmod", "updatedDate", "date_modified", "last_modified_at", "modified"),
    "guid": ("guid", "id"),
    "reverberate": ("reverberate", "_reverberate"),
    "draft": ("draft",),
}
"""Our words, and the keys that stand for them in Hugo, Jekyll, Eleventy, Astro and JSON Feed; the first counts."""
KNOWN: Final = frozenset(name for names in KEYS.values() for name in names)


def read_post(source: Path | str, *, kind: Kind | None = None, base: str = "", name: str = "-") -> Post:
    """The post in a file, or in a text.

    Args:
        source: a path is read; a text is the document itself.
        kind: what it is; None tells it by the file's name, or by how the text begins.
        base: what addresses in it are relative to; without it they must be whole.
        name: what to call a text in errors.

    Raises:
        SourceError: there is no post to publish; the text names file and line, and says what was expected.
    """
    name = str(source) if isinstance(source, Path) else name
    try:
        text = _contents(source) if isinstance(source, Path) else source
        matter, body = split(text, kind or kind_of(source))
        return _Document(matter, text).post(body, base=base)
    except Wrong as wrong:
        raise SourceError(f"{name}:{wrong.line}: {wrong}", hint=wrong.hint) from None


def _contents(path: Path) -> str:
    try:
        if path.stat().st_size > LONGEST:
            raise Wrong(f"the file is longer than {LONGEST:,} bytes")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Wrong(f"it cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise Wrong("the file is not in UTF-8", line=line) from None


class _Document:
    """Front matter under our words, with errors that name the line."""

    def __init__(self, matter: dict[str, Any], text: str) -> None:
        self._matter = matter
        self._lines = text.splitlines()

    def post(self, body: str, *, base: str) -> Post:
        self._must_be_published()
        title, url = self._title(), self._url(base=base)
        body = SHORTCODE.sub("", body)
        teaser, *rest = MORE.split(body, maxsplit=1)
        return article(
            url=url,
            title=title,
            summary=self._text("summary") or (plain(_rendered(teaser)) if rest else ""),
            text=self._text("text") or plain(_rendered(body)),
            html=self._text("html") or _rendered(body, raw=False),
            author=", ".join(self._names("author")),
            tags=self._words("tags"),
            categories=self._words("categories"),
            images=self._images(base=url),
            language=self._text("language"),
            published=self._moment("published"),
            updated=self._moment("updated"),
            guid=self._guid(),
            extra=self._extra(),
        )

    def _must_be_published(self) -> None:
        key, draft = self._first("draft")
        if draft is True or str(draft).lower() == "true":
            raise self._wrong(key, "this is a draft", hint=f"take out {key} to publish it")
        if self._matter.get("published") is False:
            raise self._wrong("published", "this is not published", hint="take out published: false to publish it")

    def _title(self) -> str:
        title = self._text("title")
        if not title:
            raise self._wrong("title", "there is no title", hint="add a key title")
        return title

    def _url(self, *, base: str) -> str:
        given = [name for name in KEYS["url"] if isinstance(self._matter.get(name), str)]
        for name in given:
            url = absolute(self._matter[name], base=base)
            if url and not TEMPLATED.search(self._matter[name]):
                return url
        if given:
            raise self._wrong(given[0], f"{given[0]} is no whole address", hint="write it with https:// and the host")
        raise self._wrong("url", "there is no url", hint="add a key url with the post's public address")

    def _text(self, word: str) -> str:
        name, value = self._first(word)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, (int, float, date)) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(name, f"{name} must be a text", hint="in quotes, if it looks like something else")

    def _words(self, word: str) -> list[str]:
        name, value = self._first(word)
        if isinstance(value, str):
            return value.split(",")
        if value is None or (isinstance(value, list) and all(isinstance(each, (str, int, float)) for each in value)):
            return [str(each) for each in value or []]
        raise self._wrong(name, f"{name} must be a list of words, or words with commas between them")

    def _names(self, word: str) -> Iterator[str]:
        name, value = self._first(word)
        for each in value if isinstance(value, list) else [value]:
            named = each.get("name") if isinstance(each, dict) else each
            if isinstance(named, str):
                yield named
            elif each is not None:
                raise self._wrong(name, f"{name} must be a name, or a list of names")

    def _images(self, *, base: str) -> Iterator[Image]:
        alt = self._text("alt")
        for name in KEYS["images"]:
            value = self._matter.get(name)
            for each in value if isinstance(value, list) else [value]:
                url, own = _picture(each)
                if url:
                    yield Image(url=absolute(url, base=base), alt=own or alt)
                    alt = ""  # it describes the first image
                elif each:
                    raise self._wrong(name, f"{name} must be an address, or have a url and an alt")

    def _moment(self, word: str) -> datetime | None:
        name, value = self._first(word)
        found = moment(value)
        if found is None and value is not None and not isinstance(value, bool):
            raise self._wrong(name, f"{name} must be a date such as 2026-03-01 or 2026-03-01T09:30:00+01:00")
        return found

    def _guid(self) -> str:
        """Only what is unique everywhere: a number in a file says nothing."""
        _, value = self._first("guid")
        return value if isinstance(value, str) and URI.match(value) else ""

    def _extra(self) -> dict[str, Any]:
        name, overrides = self._first("reverberate")
        if not isinstance(overrides, (dict, type(None))):
            raise self._wrong(name, f"{name} must be keys with values")
        rest = {key: value for key, value in self._matter.items() if key not in KNOWN}
        return rest | ({"reverberate": overrides} if overrides else {})

    def _first(self, word: str) -> tuple[str, Any]:
        """The first of a word's keys that has a value, and the value."""
        for name in KEYS[word]:
            if self._matter.get(name) not in (None, "", [], {}):
                return name, self._matter[name]
        return KEYS[word][0], None

    def _wrong(self, key: str, words: str, *, hint: str = "") -> Wrong:
        stands = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[:=]")
        line = next((number for number, line in enumerate(self._lines, 1) if stands.match(line)), 1)
        return Wrong(words, line=line, hint=hint)


def _picture(value: object) -> tuple[str, str]:
    """An image's address and alternative text, from an address or from a mapping of them."""
    if isinstance(value, dict):
        names = [value.get(name) for name in ("url", "src", "path", "image", "feature")]
        url = next((name for name in names if isinstance(name, str) and name), "")
        return url, str(value.get("alt") or "")
    return (value, "") if isinstance(value, str) else ("", "")


def _rendered(markdown: str, *, raw: bool = True) -> str:
    """Markdown as HTML. ``raw``: with the HTML that stands in it, which is good for taking the words out."""
    return str(_markdown(raw).render(markdown))


@cache
def _markdown(raw: bool) -> MarkdownIt:  # noqa: FBT001 - the cache's key
    return MarkdownIt("commonmark", {"html": raw}).enable(["table", "strikethrough"])
