"""An installation elsewhere, asked over its HTTP API: the same questions as ``Front`` takes, the same answers."""

from __future__ import annotations

import ipaddress
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from reverberate import __version__
from reverberate.errors import Missing, ReverberateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverberate.model import Post, Scope
    from reverberate.paging import Page
    from reverberate.store import events, posts, shares

SECONDS = (10, 120)
"""How long to wait for the connection, and for an answer: a look at a source takes its time."""


class Remote:
    """A front elsewhere.

    Raises:
        ReverberateError: the address is no good, or a token would go over a network in the clear.
    """

    def __init__(self, server: str, token: str, *, insecure: bool = False) -> None:
        self._base = _base(server, insecure=insecure) + "/api"
        self._session = requests.Session()
        self._session.trust_env = False  # no token of another service's, no proxy that somebody else set
        self._session.headers["User-Agent"] = f"reverberate/{__version__}"
        if not token:
            raise ReverberateError("a server needs a token", hint="--token, or REVERBERATE_TOKEN")
        self._session.headers["Authorization"] = f"Bearer {token}"

    def status(self) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("GET", "/status")

    def publish(self, post: Post, *, accounts: Sequence[str] = (), at: datetime | None = None) -> dict[str, Any]:
        """See ``Front``."""
        told = {"post": _plain(post), "accounts": list(accounts), "at": at.isoformat() if at else None}
        return self._object("POST", "/posts", told)

    def coming(self, account: str, *, since: datetime | None = None, number: int = 10) -> list[dict[str, Any]]:
        """See ``Front``."""
        query = {"limit": number, "since": since.isoformat() if since else None}
        return self._list(f"/accounts/{_part(account)}/schedule", query)

    def posts(self, wanted: posts.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """See ``Front``."""
        query = {"source": wanted.source, **_between(wanted.since, wanted.until)}
        return self._page("/posts", query, cursor=cursor, limit=limit)

    def shares(self, wanted: shares.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """See ``Front``."""
        query: dict[str, Any] = {"state": [state.value for state in wanted.states], "account": wanted.account}
        query |= {"source": wanted.source, "post": wanted.post_id, **_between(wanted.since, wanted.until)}
        return self._page("/shares", query, cursor=cursor, limit=limit)

    def events(self, wanted: events.Wanted, *, cursor: str = "", limit: int = 50) -> Page:
        """See ``Front``."""
        query: dict[str, Any] = {
            "account": wanted.account,
            "source": wanted.source,
            "kind": wanted.kind,
            "share": wanted.share_id,
        }
        query |= {"post": wanted.post_id, **_between(wanted.since, wanted.until)}
        return self._page("/events", query, cursor=cursor, limit=limit)

    def share(self, number: int) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("GET", f"/shares/{number}")

    def act(self, number: int, wish: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("POST", f"/shares/{number}/{wish}", dict(told) if told else None)

    def accounts(self) -> list[dict[str, Any]]:
        """See ``Front``."""
        return self._list("/accounts")

    def pause(self, name: str, why: str) -> list[dict[str, Any]]:
        """See ``Front``."""
        path = f"/accounts/{_part(name)}/pause" if name else "/pause"
        rows: list[dict[str, Any]] = self._ask("POST", path, {"why": why} if why else {})
        return rows

    def resume(self, name: str) -> list[dict[str, Any]]:
        """See ``Front``."""
        path = f"/accounts/{_part(name)}/resume" if name else "/resume"
        rows: list[dict[str, Any]] = self._ask("POST", path)
        return rows

    def sources(self) -> list[dict[str, Any]]:
        """See ``Front``."""
        return self._list("/sources")

    def poll(self, name: str) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("POST", f"/sources/{_part(name)}/poll")

    def preview(self, post: Post, *, accounts: Sequence[str] = (), pictures: bool = False) -> list[dict[str, Any]]:
        """See ``Front``."""
        body = {"post": _plain(post), "accounts": list(accounts), "pictures": pictures}
        rows: list[dict[str, Any]] = self._ask("POST", "/preview", body)
        return rows

    def preview_known(
        self, number: int, *, accounts: Sequence[str] = (), pictures: bool = False
    ) -> list[dict[str, Any]]:
        """See ``Front``."""
        query = {"account": list(accounts), "pictures": "true" if pictures else None}
        return self._list(f"/posts/{number}/preview", query)

    def plan(self, *, limit: int = 20, apply: bool = False) -> dict[str, Any]:
        """See ``Front``."""
        method, path = ("POST", "/plan/apply") if apply else ("GET", "/plan")
        return self._object(method, path, query={"limit": limit})

    def plan_of(self, post: Post | int, *, accounts: Sequence[str] = ()) -> dict[str, Any]:
        """See ``Front``."""
        if isinstance(post, int):
            return self._object("GET", f"/posts/{post}/plan")
        return self._object("POST", "/plan", {"post": _plain(post), "accounts": list(accounts)})

    def stats(self, *, account: str = "", days: int = 90) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("GET", "/stats", query={"account": account, "days": days})

    def tokens(self) -> list[dict[str, Any]]:
        """See ``Front``."""
        return self._list("/tokens")

    def create_token(self, name: str, scope: Scope, *, days: int | None = None) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("POST", "/tokens", {"name": name, "scope": scope.value, "days": days})

    def revoke_token(self, name: str) -> None:
        """See ``Front``."""
        self._ask("DELETE", f"/tokens/{_part(name)}")

    def called(self, post: Post | None, number: int) -> tuple[str, str]:
        """See ``Front``."""
        if post is not None:
            return post.title or post.url, post.site
        known = self._object("GET", f"/posts/{number}")
        return known["title"] or known["url"], known.get("site", "")

    def why(self, number: int, account: str) -> dict[str, Any]:
        """See ``Front``."""
        return self._object("GET", f"/posts/{number}/why/{_part(account)}")

    def _page(self, path: str, query: Mapping[str, Any], *, cursor: str, limit: int) -> Page:
        """As many pages of the API's as make one of ours."""
        rows: list[dict[str, Any]] = []
        at: str | None = cursor
        while at is not None and len(rows) < limit:
            page = self._ask("GET", path, query={**query, "cursor": at, "limit": min(limit - len(rows), 200)})
            rows += page["items"]
            at = page["next"]
        return rows, at

    def _object(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask(method, path, body, query=query)
        return answer

    def _list(self, path: str, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self._ask("GET", path, query=query)
        return answer

    def _ask(self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None) -> Any:
        """One question; a POST whose answer is lost may come again under the same key, and is done once."""
        query = {name: value for name, value in (query or {}).items() if value not in (None, "", [])}
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        for last in (False, True):
            try:
                answer = self._session.request(
                    method,
                    self._base + path,
                    params=query,
                    json=body,
                    headers=headers,
                    timeout=SECONDS,
                    allow_redirects=False,  # a token goes to nobody else
                )
            except requests.ConnectionError as error:
                if last:
                    raise ReverberateError(f"{self._base} cannot be reached: {_cause(error)}") from None
            except requests.RequestException as error:
                raise ReverberateError(f"{self._base} does not answer: {type(error).__name__}") from None
            else:
                return _read(answer, self._base)
        return None


def _base(server: str, *, insecure: bool) -> str:
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ReverberateError(f"{server!r} is no server's address", hint="such as https://reverberate.example")
    if parts.scheme == "http" and not (insecure or _at_home(parts.hostname)):
        hint = "use https, or --insecure if nobody can listen on the way"
        raise ReverberateError(f"a token must not go to {parts.hostname} in the clear", hint=hint)
    return server.rstrip("/")


def _at_home(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(answer: requests.Response, base: str) -> Any:
    try:
        document = answer.json() if answer.content else None
    except requests.JSONDecodeError:
        document = None
    if answer.status_code == 204 or (answer.ok and document is not None and not answer.is_redirect):
        return document
    if isinstance(document, dict) and "detail" in document:
        kind = Missing if answer.status_code == 404 else ReverberateError
        raise kind(str(document["detail"]), hint=str(document.get("hint", "")))
    raise ReverberateError(f"{base} answers with {answer.status_code} and is no Reverberate", hint="look at --server")


def _cause(error: BaseException) -> str:
    """What the operating system said, deep inside."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _between(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    return {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}


def _part(name: str) -> str:
    return quote(name, safe="")


def _plain(post: Post) -> Any:
    from reverberate.store.codec import dump_post  # what it needs is slow to import, and not every command posts

    return dump_post(post)
