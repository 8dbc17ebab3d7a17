"""Which post is which: an identity that survives an edited slug, guid or title. Pure.

A post has three keys: its guid, its link, and its fingerprint. They are asked in that order, and a post that is there
already is one entry of a look at most, so that a new entry is not taken for an old one that it shares something with.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from reverberate.model import Post

SUBSTANTIAL: Final = 120
"""So many characters of text are hardly the same in two posts."""
LONGEST_TEXT: Final = 20_000
TRACKING: Final = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|mc_[ce]id|igsh(?:id)?|yclid|twclid|ttclid|epik"
    r"|li_fat_id|_hs(?:enc|mi)|mkt_tok|oly_(?:anon|enc)_id|vero_id|wickedid|ml_subscriber(?:_hash)?|at_(?:medium|campaign)"
)
"""Query parameters that tell where a reader came from, never what is shown."""
URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The keys of one post; "" where it has none. Iterating yields those that it has; there is always one."""

    guid: str
    link: str
    fingerprint: str

    def __iter__(self) -> Iterator[str]:
        return (key for key in (self.guid, self.link, self.fingerprint) if key)


KINDS: Final = tuple(field.name for field in fields(Identity))


def keys(post: Post, *, source: str = "") -> Identity:
    """The keys of a post. ``source`` tells apart guids that are unique in their source only, such as ``42``."""
    guid = post.guid if URI.match(post.guid) else f"{source} {post.guid}"
    return Identity(
        guid=_key("guid", guid) if post.guid else "",
        link=_key("link", canonical(post.url)) if post.url else "",
        fingerprint=_fingerprint(post),
    )


def recognise(identities: Sequence[Identity], known: Mapping[str, int]) -> list[int | None]:
    """For each entry of one look the post that it is, or None if it is new.

    Args:
        identities: the entries' keys. Entries that are the same post (see ``distinct``) get the same answer.
        known: the post that each key leads to, where it leads to one.
    """
    apart, firsts = told_apart(identities), _firsts(identities)
    found: dict[int, int] = {}
    for kind in KINDS:
        taken = set(found.values())
        for index in sorted(set(firsts) - set(found)):
            post_id = known.get(getattr(apart[index], kind))
            if post_id is not None and post_id not in taken:
                found[index] = post_id
                taken.add(post_id)
    for index in sorted(set(firsts) - set(found)):
        if all(key in known for key in apart[index]):  # no key would be its own: it would be new at every look
            found[index] = known[next(iter(apart[index]))]
    return [found.get(first) for first in firsts]


def told_apart(identities: Sequence[Identity]) -> list[Identity]:
    """The same, without the guids and links that several different entries share: these identify nothing."""
    firsts = _firsts(identities)
    shared = Counter(key for first in set(firsts) for key in (identities[first].guid, identities[first].link))
    return [
        replace(
            one,
            guid=one.guid if shared[one.guid] <= 1 else "",
            link=one.link if shared[one.link] <= 1 else "",
        )
        for one in identities
    ]


def distinct(posts: Sequence[Post], *, source: str = "") -> list[Post]:
    """Each post once, in its latest form: a document may hold several versions of one, the later ones last."""
    firsts = _firsts([keys(post, source=source) for post in posts])
    return list(dict(zip(firsts, posts, strict=True)).values())


def canonical(url: str) -> str:
    """One spelling for all the addresses that lead to the same page; to compare, not to follow."""
    try:
        parts = urlsplit(url.strip())
        host = _host(parts)
    except ValueError:
        return url.strip()
    if not host:
        return url.strip()
    asked = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in asked if not _is_tracking(*pair)), errors="replace")
    return f"https://{host}{_path(parts.path)}" + (f"?{query}" if query else "")


def _host(parts: SplitResult) -> str:
    host = re.sub(r"^(www\.)+(?=.)", "", (parts.hostname or "").rstrip("."))
    with suppress(UnicodeError):  # what IDNA cannot write is compared as it stands
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"


def _path(path: str) -> str:
    return quote(unquote(path, errors="replace").rstrip("/"), safe="/!$&'()*+,;=:@~", errors="replace")


def _is_tracking(name: str, value: str) -> bool:
    return bool(TRACKING.fullmatch(name.lower())) or (name == "source" and value.startswith("rss"))


def _fingerprint(post: Post) -> str:
    """Of the text, where there is enough of it to be nobody else's; otherwise of what little there is."""
    text = _words(post.text or post.summary)
    title, day = _words(post.title), f"{post.published:%Y-%m-%d}" if post.published else ""
    if len(text) >= SUBSTANTIAL:
        return _key("text", title, text, day)
    return _key("entry", canonical(post.url), title, text)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text[:LONGEST_TEXT].casefold()))


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{sha256(chr(0).join(parts).encode(errors='replace')).hexdigest()[:40]}"


def _firsts(identities: Sequence[Identity]) -> list[int]:
    """For each entry the index of the first one that is the same post: two of its keys are the same."""
    seen: dict[tuple[str, str], int] = {}
    firsts = []
    for index, one in enumerate(identities):
        pairs = [(one.guid, one.link), (one.guid, one.fingerprint)] if one.guid else [(one.link, one.fingerprint)]
        first = min((seen[pair] for pair in pairs if pair in seen), default=index)
        for pair in pairs:
            seen.setdefault(pair, first)
        firsts.append(first)
    return firsts
