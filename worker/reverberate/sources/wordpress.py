"""A WordPress site through its REST API: real excerpts, the featured image, and custom fields, which a feed has not.

Source: developer.wordpress.org/rest-api/reference/posts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final

from reverberate.model import Image
from reverberate.sources.articles import Unreadable, article, moment, oldest_first
from reverberate.sources.feed import Feed, FeedSettings
from reverberate.text.markup import absolute, plain

if TYPE_CHECKING:
    from reverberate.model import Post
    from reverberate.sources.base import SourceSettings

FIELDS: Final = "id,date_gmt,modified_gmt,guid,link,title,excerpt,content,meta,_links,_embedded"
EMBEDDED: Final = "wp:featuredmedia,author,wp:term"
MOST: Final = 100
"""WordPress gives no more at once."""


class WordPressSettings(FeedSettings):
    """The keys of a WordPress site in the config."""


class WordPress(Feed):
    """The newest published posts of a site."""

    kind: ClassVar[str] = "wordpress"
    Settings: ClassVar[type[SourceSettings]] = WordPressSettings

    @property
    def address(self) -> str:
        """The site's list of posts; by ``rest_route``, which works whatever its permalinks look like."""
        most = min(self.settings.newest, MOST)
        return (
            f"{self.settings.url.rstrip('/')}/?rest_route=/wp/v2/posts&per_page={most}"
            f"&_embed={EMBEDDED}&_fields={FIELDS}"
        )


def posts(body: bytes, *, newest: int) -> tuple[list[Post], list[str]]:
    """The posts of an answer of the REST API, oldest first, and a note for each that had to be left out.

    Raises:
        Unreadable: it is no such answer.
    """
    try:
        answer = json.loads(body.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise Unreadable("it is broken JSON, or it is cut off", hint="is this a WordPress site's address?") from None
    if not isinstance(answer, list):
        words = answer.get("message") if isinstance(answer, dict) else ""
        raise Unreadable(f"it is no list of posts: {words or 'nothing that WordPress says'}")
    items = [item for item in answer if isinstance(item, dict)]
    found, notes = [], []
    for item in oldest_first(items, lambda one: moment(_utc(one, "date_gmt")), newest=newest):
        try:
            found.append(post(item))
        except Unreadable as error:
            notes.append(f"a post is left out ({plain(_rendered(item, 'title')) or 'no title'}): {error}")
    return found, notes


def post(item: dict[str, Any]) -> Post:
    """One post of the REST API.

    Raises:
        Unreadable: it has no address.
    """
    link = absolute(str(item.get("link") or ""), base="")
    if not link:
        raise Unreadable("it has no link")
    given = item.get("_embedded")
    embedded: dict[str, Any] = given if isinstance(given, dict) else {}
    return article(
        url=link,
        title=plain(_rendered(item, "title")),
        summary=plain(_rendered(item, "excerpt")),
        html=_rendered(item, "content"),
        author=", ".join(str(one.get("name") or "") for one in _entries(embedded, "author")),
        tags=_terms(embedded, "post_tag"),
        categories=_terms(embedded, "category"),
        images=[
            Image(url=absolute(str(one.get("source_url") or ""), base=link), alt=str(one.get("alt_text") or ""))
            for one in _entries(embedded, "wp:featuredmedia")
        ],
        published=moment(_utc(item, "date_gmt")),
        updated=moment(_utc(item, "modified_gmt")),
        guid=_rendered(item, "guid"),
        extra=_overrides(item.get("meta")),
    )


def _overrides(meta: object) -> dict[str, Any]:
    """What the custom field ``reverberate`` says: a mapping, or one written as JSON."""
    given = meta.get("reverberate") if isinstance(meta, dict) else None
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except json.JSONDecodeError:
            return {"reverberate": given}  # a text, which is told to be none of what it should be
    return {"reverberate": given} if given else {}


def _rendered(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    text = value.get("rendered") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def _utc(item: dict[str, Any], name: str) -> str:
    """WordPress writes its GMT times without a zone."""
    value = item.get(name)
    return f"{value}Z" if isinstance(value, str) and value and not value.endswith("Z") else ""


def _entries(embedded: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = embedded.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _terms(embedded: dict[str, Any], taxonomy: str) -> list[str]:
    groups = embedded.get("wp:term")
    terms = [term for group in groups if isinstance(group, list) for term in group] if isinstance(groups, list) else []
    return [plain(str(t.get("name") or "")) for t in terms if isinstance(t, dict) and t.get("taxonomy") == taxonomy]
