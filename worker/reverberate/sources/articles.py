"""What all ways in share: from the loose parts that a document gives to a clean ``Post``, and posts as plain JSON."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from reverberate.model import Image, Post
from reverberate.text.markup import pictures, plain, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeVar

    from reverberate.model import JSON

    Entry = TypeVar("Entry")

SUMMARY: Final = 600
"""A summary of more characters is the article itself; an excerpt takes its place."""
EXCERPT: Final = 300
PARAGRAPH: Final = 40
"""A first paragraph of fewer characters is a caption or a greeting rather than a summary."""
IMAGES: Final = 10
OLDEST_YEAR: Final = 1980
"""Before it no blog was; generators write the year 1 or 1970 where they know no date."""
TAG: Final = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{2,8})*)")
SENTENCE_END: Final = re.compile(
    r"[.!?…]['\")\]”»]?(?=\s|$)|[\u3002\uff01\uff1f]"
)  # the latter in Chinese and Japanese
UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
UNSAID: Final = frozenset({"uncategorized", "uncategorised"})
"""WordPress's word for "no category"."""


class Unreadable(Exception):
    """A document that cannot be used; ``hint`` says what to do, where that is known."""

    def __init__(self, words: str, *, hint: str = "") -> None:
        super().__init__(words)
        self.hint = hint


def article(  # what a post is made of; see the model
    *,
    url: str,
    base: str = "",
    title: str = "",
    summary: str = "",
    text: str = "",
    html: str = "",
    author: str = "",
    tags: Iterable[str] = (),
    categories: Iterable[str] = (),
    images: Iterable[Image] = (),
    thumbnails: Iterable[Image] = (),
    language: str = "",
    published: datetime | None = None,
    updated: datetime | None = None,
    guid: str = "",
    site: str = "",
    extra: Mapping[str, Any] | None = None,
) -> Post:
    """A post from plain texts and untrusted HTML: what is missing is taken from the HTML."""
    text = tidy(text) or plain(html)
    shown = [Image(url=picture.url, alt=picture.alt) for picture in pictures(html, base=base or url)]
    return Post(
        url=url,
        title=_line(title),
        summary=_summary(_line(summary), text),
        text=text,
        html=UNSTORABLE.sub("", html),
        author=_line(author),
        tags=_words(tags),
        categories=_words(categories),
        images=_images([*images, *shown]) or _images([*thumbnails]),
        language=language_tag(language),
        published=published,
        updated=updated,
        guid=_line(guid),
        site=_line(site),
        extra=storable_keys(extra or {}),
    )


def oldest_first(entries: Sequence[Entry], when: Callable[[Entry], datetime | None], *, newest: int) -> list[Entry]:
    """The ``newest`` of a document's entries. Documents begin with the newest, unless every date says otherwise."""
    dated = [(moment, entry) for entry in reversed(entries) if (moment := when(entry))]
    if len(dated) == len(entries):
        return [entry for _, entry in sorted(dated, key=lambda pair: pair[0])][-newest:]
    return list(reversed(entries))[-newest:]


def moment(value: object) -> datetime | None:
    """An instant from what a document gives: a text, a date or a datetime; None if it is none or absurd.

    Texts are understood as ISO 8601, as mail and RSS write dates, and as Astro does (``Jul 08 2026``).
    """
    if isinstance(value, str):
        value = _written(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime) or value.year < OLDEST_YEAR:
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _written(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime, _as_astro_writes):
        with suppress(ValueError):
            return read(text)
    return None


def _as_astro_writes(text: str) -> datetime:
    return datetime.strptime(f"{text} +0000", "%b %d %Y %z")


def language_tag(text: str) -> str:
    """A BCP 47 tag in its usual spelling, or "" if it is none."""
    found = TAG.fullmatch(text.strip().lower().replace("_", "-"))
    if not found:
        return ""
    region_or_script = {2: str.upper, 4: str.title}
    parts = [region_or_script.get(len(part), str)(part) for part in found[2].split("-")[1:]]
    return "-".join([found[1], *parts])


def excerpt(text: str) -> str:
    """A text's first real paragraph, whole if it is short, else up to the end of a sentence or a word."""
    paragraphs = [_line(part) for part in text.split("\n\n", 20) if part.strip()]
    first = next((part for part in paragraphs if len(part) >= PARAGRAPH), "".join(paragraphs[:1]))
    if len(first) <= EXCERPT:
        return first
    ends = [end.end() for end in SENTENCE_END.finditer(first[: EXCERPT + 1]) if PARAGRAPH <= end.end() <= EXCERPT]
    start = first[: EXCERPT - 1]
    return first[: ends[-1]] if ends else (start.rpartition(" ")[0] or start).rstrip(",;:- ") + "…"


def storable(value: Any) -> JSON:
    """A value that somebody else made up, as JSON that every database takes."""
    match value:
        case dict():
            return storable_keys(value)
        case list() | tuple() | set():
            return [storable(each) for each in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int():
            return value
        case date() | time():
            return value.isoformat()
        case _:
            return UNSTORABLE.sub("", str(value))


def storable_keys(values: Mapping[Any, Any]) -> dict[str, JSON]:
    """The same for keys and values."""
    return {UNSTORABLE.sub("", str(key)): storable(each) for key, each in values.items()}


def packed(post: Post) -> dict[str, Any]:
    """A post as plain JSON."""
    dates = {"published": post.published, "updated": post.updated}
    return asdict(post) | {name: when.isoformat() if when else None for name, when in dates.items()}


def unpacked(entry: Mapping[str, Any]) -> Post:
    """The post that ``packed`` made this of."""
    return Post(
        **{
            **entry,
            "tags": tuple(entry["tags"]),
            "categories": tuple(entry["categories"]),
            "images": tuple(Image(**image) for image in entry["images"]),
            "published": moment(entry["published"]),
            "updated": moment(entry["updated"]),
        }
    )


def _summary(given: str, text: str) -> str:
    given = re.sub(r"\s*(\[\s*(…|\.\.\.)\s*\]|\(\s*…\s*\))$", "…", given)
    if given and len(given) <= SUMMARY:
        return given
    return excerpt(given or text)


def _line(text: str) -> str:
    return " ".join(tidy(text).split())


def _words(words: Iterable[str]) -> tuple[str, ...]:
    tidied = (_line(word).lstrip("#").strip() for word in words)
    return tuple({word.casefold(): word for word in tidied if word and word.casefold() not in UNSAID}.values())


def _images(images: Sequence[Image]) -> tuple[Image, ...]:
    """Each address once, in the order of appearance, with the first alternative text that any mention of it has."""
    alts = {image.url: image.alt for image in reversed(images) if image.alt}
    urls = dict.fromkeys(image.url for image in images if image.url)
    return tuple(Image(url=url, alt=_line(alts.get(url, ""))) for url in urls)[:IMAGES]
