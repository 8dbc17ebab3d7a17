"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read as the specification asks: forgivingly, but never without an id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from reverberate.model import Image
from reverberate.sources.articles import Unreadable, article, moment, oldest_first
from reverberate.text.markup import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.model import Post

VERSIONS: Final = ("https://jsonfeed.org/version/1", "http://jsonfeed.org/version/1")


def posts(body: bytes, *, url: str, newest: int) -> tuple[list[Post], list[str]]:
    """The posts of a JSON Feed, oldest first, and a note for each item that had to be left out.

    Raises:
        Unreadable: it is no JSON Feed.
    """
    feed = _feed(body)
    found, notes = [], []
    items = oldest_first([item for item in feed["items"] if isinstance(item, dict)], _when, newest=newest)
    for item in items:
        try:
            found.append(post(item, feed=feed, base=url))
        except Unreadable as error:
            notes.append(f"an item is left out ({_text(item, 'title') or _text(item, 'url') or 'no title'}): {error}")
    return found, notes


def post(item: dict[str, Any], *, feed: dict[str, Any], base: str) -> Post:
    """One item as a post.

    Raises:
        Unreadable: it has no id, or no address.
    """
    guid = _guid(item.get("id"))
    page = absolute(_text(item, "url"), base=base) or absolute(_text(item, "id"), base="")
    page = page or absolute(_text(item, "external_url"), base=base)
    if not page:
        raise Unreadable("it has no url")
    outside = {name: item[name] for name in ("external_url",) if _text(item, name)}
    overrides = {"reverberate": item["_reverberate"]} if isinstance(item.get("_reverberate"), dict) else {}
    return article(
        url=page,
        title=_text(item, "title"),
        summary=_text(item, "summary"),
        text=_text(item, "content_text"),
        html=_text(item, "content_html"),
        author=_authors(item) or _authors(feed),
        tags=[tag for tag in _list(item, "tags") if isinstance(tag, str)],
        images=_images(item, base=page),
        language=_text(item, "language") or _text(feed, "language"),
        published=moment(item.get("date_published")),
        updated=moment(item.get("date_modified")),
        guid=guid,
        site=_text(feed, "title"),
        extra=outside | overrides,
    )


def _feed(body: bytes) -> dict[str, Any]:
    try:
        feed = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("it is JSON, but not in UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is broken JSON: {error.msg} in line {error.lineno}, or it is cut off") from None
    if not isinstance(feed, dict) or not str(feed.get("version", "")).startswith(VERSIONS):
        raise Unreadable("it is JSON, but no JSON Feed")
    if not isinstance(feed.get("items"), list):
        raise Unreadable("it is a JSON Feed without a list of items")
    return feed


def _when(item: dict[str, Any]) -> Any:
    return moment(item.get("date_published")) or moment(item.get("date_modified"))


def _guid(value: object) -> str:
    """An item's id; a number stands for its digits, as the specification asks."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    raise Unreadable("it has no id")


def _authors(holder: dict[str, Any]) -> str:
    authors = _list(holder, "authors") or [holder.get("author")]
    return ", ".join(name for author in authors if isinstance(author, dict) and (name := _text(author, "name")))


def _images(item: dict[str, Any], *, base: str) -> Iterator[Image]:
    for name in ("image", "banner_image"):
        yield Image(url=absolute(_text(item, name), base=base))
    for attachment in _list(item, "attachments"):
        if isinstance(attachment, dict) and _text(attachment, "mime_type").startswith("image/"):
            yield Image(url=absolute(_text(attachment, "url"), base=base), alt=_text(attachment, "title"))


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
