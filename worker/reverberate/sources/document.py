"""What a feed's address gave, whatever it is: run in a confined child, for strangers wrote it."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from reverberate.sources.articles import Unreadable, packed
from reverberate.text.markup import feeds

if TYPE_CHECKING:
    from reverberate.model import Post

JOB: Final = "reverberate.sources.document:read"
START: Final = 2048
PAGE: Final = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
FEED: Final = re.compile(rb"<(?:rss|feed|(?:\w+:)?RDF)\b", re.IGNORECASE)
PAGE_READ: Final = 512 * 1024


def read(arguments: Any) -> dict[str, Any]:
    """The posts of a document as plain JSON, or what is wrong with it.

    Args:
        arguments: ``body`` (base64), ``url``, ``content_type``, how many of the ``newest`` posts to give, and the
            ``kind`` of the source.

    Returns:
        ``posts``, ``notes`` and ``ttl`` (minutes), or ``trouble`` and ``hint``.
    """
    body, url = b64decode(arguments["body"]), arguments["url"]
    try:
        if arguments.get("kind") == "wordpress":
            from reverberate.sources import wordpress  # noqa: PLC0415 - a child imports what it needs

            found, notes, ttl = *wordpress.posts(body, newest=arguments["newest"]), 0
        else:
            found, notes, ttl = _posts(body, url, arguments["content_type"], arguments["newest"])
    except Unreadable as error:
        return {"trouble": str(error), "hint": error.hint}
    return {"posts": [packed(post) for post in found], "notes": notes, "ttl": ttl}


def _posts(body: bytes, url: str, content_type: str, newest: int) -> tuple[list[Post], list[str], int]:
    start = body[:START].replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise Unreadable("it is empty")
    if start.startswith((b"{", b"[")):
        from reverberate.sources import jsonfeed  # noqa: PLC0415 - a child imports what it needs

        return *jsonfeed.posts(body, url=url, newest=newest), 0
    if PAGE.search(start) and not FEED.search(start):
        raise _page(body, url)
    from reverberate.sources import xmlfeed  # noqa: PLC0415 - as above

    return xmlfeed.posts(body, url=url, content_type=content_type, newest=newest)


def _page(body: bytes, url: str) -> Unreadable:
    named = feeds(body[:PAGE_READ].decode("utf-8", "replace"), base=url)
    hint = f"its feed is {named[0]}" if named else "the page names no feed"
    return Unreadable("it is a web page, not a feed", hint=hint)
