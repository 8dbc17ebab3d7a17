"""Where a post's picture may be: the addresses worth trying, the best one first. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reverberate.model import Image
from reverberate.text.markup import Tag, absolute, pictures, pieces, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reverberate.model import Post

MOST: Final = 6
"""More are not worth fetching."""
HEAD: Final = 512 * 1024
"""So much of a page is looked at."""
PIXEL: Final = 2
"""A picture of so few pixels counts readers; it is not for them."""
SIDE: Final = re.compile(r"\s*(\d+)(?:\.\d+)?\s*(?:px)?\s*")
STYLED: Final = re.compile(r"(?<![\w-])(?:width|height)\s*:\s*(\d+)(?:\.\d+)?(?:px)?\s*(?:;|!|$)")
NO_PHOTOGRAPH: Final = re.compile(r"\.(?:svgz?|ico)", re.IGNORECASE)
ADDRESS: Final = {
    "og:image": "og",
    "og:image:url": "og",
    "og:image:secure_url": "og",
    "twitter:image": "twitter",
    "twitter:image:src": "twitter",
}
WORDS: Final = {"og:image:alt": "og", "twitter:image:alt": "twitter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A picture that a page's head names."""

    family: str
    image: Image


def candidates(post: Post, *, page: str = "", page_url: str = "") -> tuple[Image, ...]:
    """The pictures to try for a post, in order, each once.

    First those that its source names, then the page's ``og:image``, its ``twitter:image``, and those in the post's
    text. A description that is known for an address from one place is kept when another place names it without.

    Args:
        post: its addresses are absolute or relative to its own.
        page: the HTML of the post's page, if it was fetched.
        page_url: where the page was in the end, if not at the post's address.
    """
    found = [
        *(replace(image, url=absolute(image.url, base=post.url)) for image in post.images),
        *named(page, base=page_url or post.url),
        *(Image(url=shown.url, alt=shown.alt) for shown in pictures(post.html, base=post.url)),
    ]
    pixels = set(_pixels(post.html, base=post.url))
    alts = {image.url: image.alt for image in reversed(found) if image.alt}
    urls = dict.fromkeys(image.url for image in found if image.url and image.url not in pixels)
    return tuple(Image(url=url, alt=alts.get(url, "")) for url in urls if _may_be_photograph(url))[:MOST]


def named(page: str, *, base: str) -> tuple[Image, ...]:
    """The pictures that a page's head names for sharing: Open Graph's, then Twitter's."""
    found: list[_Named] = []
    for tag in _head(page):
        if tag.name == "base":
            base = absolute(tag.attributes.get("href", ""), base=base) or base
        elif tag.name == "meta":
            _note(tag, found, base=base)
    return tuple(one.image for family in ("og", "twitter") for one in found if one.family == family)


def _note(tag: Tag, found: list[_Named], *, base: str) -> None:
    key = (tag.attributes.get("property") or tag.attributes.get("name", "")).strip().lower()
    content = tag.attributes.get("content", "")
    if key in ADDRESS:
        _note_address(ADDRESS[key], absolute(content, base=base), found)
    elif key in WORDS:
        _note_words(WORDS[key], tidy(content), found)


def _note_address(family: str, url: str, found: list[_Named]) -> None:
    if url and all(one.image.url != url or one.family != family for one in found):
        found.append(_Named(family=family, image=Image(url=url)))


def _note_words(family: str, alt: str, found: list[_Named]) -> None:
    """What a picture shows is said after its address: of all of its addresses that have no words yet."""
    for at, one in enumerate(found):
        if one.family == family and not one.image.alt:
            found[at] = replace(one, image=replace(one.image, alt=alt))


def _head(page: str) -> Iterator[Tag]:
    """The tags up to the page's body, in which readers' comments may stand."""
    for piece in pieces(page[:HEAD]):
        if isinstance(piece, Tag):
            if piece.name == "body" or (piece.name == "head" and piece.closes):
                return
            yield piece


def _pixels(html: str, *, base: str) -> Iterable[str]:
    """The addresses of the images that are too small to be seen."""
    for piece in pieces(html):
        if isinstance(piece, Tag) and piece.name == "img" and _is_pixel(piece):
            yield absolute(piece.attributes.get("src", ""), base=base)


def _is_pixel(tag: Tag) -> bool:
    given = (SIDE.fullmatch(tag.attributes.get(side, "")) for side in ("width", "height"))
    sides = [match[1] for match in given if match] + STYLED.findall(tag.attributes.get("style", "").lower())
    return any(len(side) == 1 and int(side) <= PIXEL for side in sides)


def _may_be_photograph(url: str) -> bool:
    """Drawings and icons have formats that no network takes."""
    path = urlsplit(url).path
    return not NO_PHOTOGRAPH.fullmatch(path[path.rfind(".") :] if "." in path else "")
