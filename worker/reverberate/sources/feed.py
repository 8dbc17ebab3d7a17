"""A feed: RSS, Atom, RDF or JSON Feed, at an http address."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field

from reverberate import __version__, confined
from reverberate.errors import SourceError
from reverberate.fetch import Fetched, FetchError, fetch, host_and_port
from reverberate.identity import distinct
from reverberate.policy import wait_until
from reverberate.sources.articles import unpacked
from reverberate.sources.base import Look, Source, SourceSettings
from reverberate.sources.document import JOB
from reverberate.wire import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import JSON

PARSE_SECONDS: Final = 20.0
PARSE_MEGABYTES: Final = 512
LONGEST_WORD: Final = timedelta(hours=1)
"""A feed's own wish how seldom to be read counts up to here; a blogger does not mean that a post waits for days."""
CONDITIONS: Final = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}


def _http_address(url: str) -> str:
    try:
        host_and_port(url)
    except FetchError:
        raise ValueError("a feed's address begins with http:// or https://") from None
    return url


class FeedSettings(SourceSettings):
    """The keys of a feed in the config."""

    url: Annotated[str, AfterValidator(_http_address)] = Field(description="The feed's own address, not the page's.")
    max_bytes: int = Field(default=5_000_000, ge=1_000, le=50_000_000, description="A longer document is refused.")
    seconds: float = Field(default=20.0, gt=0, le=120, description="How long one look at the feed may take.")
    newest: int = Field(default=200, ge=1, le=2_000, description="How many entries are looked at, the newest ones.")


class Feed(Source):
    """One feed. Its host may be in a private network, for the owner named it; a redirect elsewhere may not."""

    kind: ClassVar[str] = "feed"
    Settings: ClassVar[type[SourceSettings]] = FeedSettings
    settings: FeedSettings

    @property
    def address(self) -> str:
        """Where the document is."""
        return self.settings.url

    def look(self, memory: Mapping[str, str]) -> Look:
        """What the feed holds now; see ``Source.look``."""
        known = memory if memory.get("url") == self.address else {}
        answer = self._fetched(known)
        wait = _freshness(answer.headers)
        if answer.status == 304:
            return Look(unchanged=True, memory=dict(known), wait=wait)
        if known.get("digest") == self._digest(answer):
            return Look(unchanged=True, memory=self._memory(answer), wait=wait)
        document = self._read(answer)
        waits = [each for each in (wait, timedelta(minutes=document["ttl"])) if each]
        return Look(
            posts=tuple(distinct([unpacked(entry) for entry in document["posts"]], source=self.name)),
            memory=self._memory(answer),
            wait=min(max(waits), LONGEST_WORD) if waits else None,
            notes=(*document["notes"], *_moved(answer)),
        )

    def _fetched(self, known: Mapping[str, str]) -> Fetched:
        settings = self.settings
        headers = {header: known[name] for header, name in CONDITIONS.items() if name in known}
        try:
            answer = fetch(
                self.address,
                headers=headers,
                max_bytes=settings.max_bytes,
                seconds=settings.seconds,
                trusted_hosts=frozenset({host_and_port(self.address)}),
            )
        except FetchError as error:
            raise self._error(error) from None
        if answer.status == 304 and not headers:
            raise self._trouble(answer, "the server says that nothing changed, but was not asked that")
        return answer

    def _error(self, error: FetchError) -> SourceError:
        now = datetime.now(UTC)
        until = wait_until(error.headers, now=now) if error.kind is Trouble.STATUS else None
        wait = until - now if until else None
        return SourceError(f"source {self.name!r}: {error}", hint=_hint(error), wait=wait)

    def _read(self, answer: Fetched) -> Any:
        arguments: JSON = {
            "body": b64encode(answer.body).decode(),
            "url": answer.url,
            "content_type": answer.headers.get("content-type", ""),
            "newest": self.settings.newest,
            "kind": self.kind,
        }
        try:
            document: Any = confined.run(JOB, arguments, seconds=PARSE_SECONDS, megabytes=PARSE_MEGABYTES)
        except confined.Overrun as error:
            raise self._trouble(answer, f"reading it was given up: {error}") from None
        except confined.JobError as error:
            raise self._trouble(answer, f"it cannot be read: {error}") from None
        if "trouble" in document:
            raise self._trouble(answer, document["trouble"], hint=document["hint"])
        return document

    def _trouble(self, answer: Fetched, words: str, *, hint: str = "") -> SourceError:
        return SourceError(f"source {self.name!r}: {_shown(answer.url)}: {words}", hint=hint)

    def _memory(self, answer: Fetched) -> dict[str, str]:
        said = {name: answer.headers.get(name, "") for name in CONDITIONS.values()}
        kept = {name: value for name, value in said.items() if value and value.isprintable()}  # else it is no header
        return {"url": self.address, "digest": self._digest(answer), **kept}

    def _digest(self, answer: Fetched) -> str:
        """Of everything that decides what a look brings, for servers that know no conditional requests."""
        settings = f"{__version__} {self.settings.newest} {answer.url}"
        return sha256(settings.encode() + b"\0" + answer.body).hexdigest()


def _freshness(headers: Mapping[str, str]) -> timedelta | None:
    said = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,9})", headers.get("cache-control", ""), re.IGNORECASE)
    return min(timedelta(seconds=int(said[1])), LONGEST_WORD) if said and int(said[1]) else None


def _moved(answer: Fetched) -> list[str]:
    return [f"the feed has moved for good: change its url to {_shown(answer.moved)}"] if answer.moved else []


def _hint(error: FetchError) -> str:
    match error.kind, error.status:
        case Trouble.STATUS, 410:
            return "it is gone for good: remove the source or change its url"
        case Trouble.STATUS, 401 | 403:
            return "the server does not let us in"
        case Trouble.STATUS, 404:
            return "check the url"
        case Trouble.TOO_BIG, _:
            return "offer fewer entries there, or raise max_bytes"
        case Trouble.REDIRECTS | Trouble.ADDRESS, _:
            return "set url to where the feed really is"
        case _:
            return ""


def _shown(url: str) -> str:
    """Without the query, which may hold a token."""
    return url.partition("?")[0]
