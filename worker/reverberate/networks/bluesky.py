"""Bluesky, by plain XRPC. Source: the lexicons com.atproto.repo.putRecord and app.bsky.feed.post; docs.bsky.app.

Each post is written with ``putRecord`` under a key that we choose when the share is planned: the same bytes under the
same key are one post, however often they are sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, Transient, Unauthorised
from reverberate.model import Assurance, Receipt
from reverberate.networks.base import Network, NetworkSettings, json_object, only_part
from reverberate.secrets import Secret
from reverberate.text.facets import detect
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    import requests

    from reverberate.model import Delivery, Message
    from reverberate.text.facets import Facet

POST = "app.bsky.feed.post"
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
CLOCKS = 1024


def tid(planned: datetime, serial: int) -> str:
    """The record key of a share: the 13 letters of a TID (atproto.com/specs/tid).

    It holds the microsecond at which the share was planned and a clock number of ten bits. Shares that were planned
    in the same microsecond differ by their serial: in the clock number, and beyond 1,024 of them in the microseconds.
    """
    micros = (planned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + serial // CLOCKS % 1000
    number = micros << 10 | serial % CLOCKS
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


class BlueskySettings(NetworkSettings):
    """One account."""

    handle: str = Field(min_length=1, description="The account's handle, e.g. you.bsky.social")
    app_password: Secret = Field(description="From Settings > App passwords; not the account's own password.")
    api_base: str = Field(default="https://bsky.social", description="The account's PDS.")
    web_base: str = Field(default="https://bsky.app", description="Where people read it.")


class Bluesky(Network):
    """Posts records with facets and a link card."""

    name, title, assurance = "bluesky", "Bluesky", Assurance.IDENTITY
    limit, Settings = LIMITS["bluesky"], BlueskySettings
    settings: BlueskySettings
    _session: dict[str, str] | None = None

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        did = self._signed_in()["did"]
        key = tid(delivery.planned, delivery.serial)
        body = {"repo": did, "collection": POST, "rkey": key, "validate": True, "record": self._record(delivery)}
        answer = self._xrpc("POST", "com.atproto.repo.putRecord", json=body)
        return self._receipt(json_object(answer).get("uri") or f"at://{did}/{POST}/{key}")

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds: exact, by the record's key."""
        params = {"repo": self._signed_in()["did"], "collection": POST, "rkey": tid(delivery.planned, delivery.serial)}
        try:
            return self._receipt(self._xrpc("GET", "com.atproto.repo.getRecord", params=params).json()["uri"])
        except Outcome as outcome:
            if "RecordNotFound" in outcome.words:
                return None
            raise

    def verify(self) -> str:
        """See Verifies."""
        return f"@{self._signed_in()['handle']}"

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        kind, words, status = _kind(response), self.words(response), response.status_code
        match kind:
            case "ExpiredToken" | "InvalidToken":
                return _Expired(words, status=status)
            case "AuthFactorTokenRequired" | "AccountTakedown" | "AccountDeactivated":
                return Unauthorised(words, status=status)
            case "InvalidSwap":
                return Duplicate(words, status=status)
            case "UpstreamFailure":
                return Transient(words, status=status)
            case _:
                return super().outcome(response, writes=writes)

    def said(self, response: requests.Response) -> str:
        """See Network; with the name that atproto gives its errors."""
        return f"{super().said(response)} ({kind})" if (kind := _kind(response)) else super().said(response)

    def _record(self, delivery: Delivery) -> dict[str, Any]:
        """The record, the same at each attempt: nothing in it depends on the hour."""
        message = delivery.message
        text = only_part(message)
        created = delivery.planned.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": created}
        if message.language:
            record["langs"] = [message.language]
        if facets := [shaped for facet in detect(text) if (shaped := self._facet(facet))]:
            record["facets"] = facets
        return record | _embed(message)

    def _facet(self, facet: Facet) -> dict[str, Any] | None:
        kind = f"app.bsky.richtext.facet#{facet.kind}"
        match facet.kind:
            case "link":
                feature = {"$type": kind, "uri": facet.value}
            case "tag":
                feature = {"$type": kind, "tag": facet.value}
            case _:
                did = self._resolved(facet.value)
                feature = {"$type": kind, "did": did} if did else {}
        return {"index": {"byteStart": facet.start, "byteEnd": facet.end}, "features": [feature]} if feature else None

    def _resolved(self, handle: str) -> str:
        """The DID of a handle; "" where there is none, and the mention stays plain text."""
        try:
            return str(self._xrpc("GET", "com.atproto.identity.resolveHandle", params={"handle": handle}).json()["did"])
        except Outcome as outcome:
            if outcome.status == 400:
                return ""
            raise  # not now is not never: the record must be the same at each attempt

    def _signed_in(self) -> dict[str, str]:
        if self._session is None:
            login = {"identifier": self.settings.handle, "password": self.settings.app_password.reveal()}
            url = f"{self.settings.api_base.rstrip('/')}/xrpc/com.atproto.server.createSession"
            self._session = self._opened(url, json=login)
        return self._session

    def _refresh(self) -> None:
        refresh = (self._session or {}).get("refreshJwt", "")
        self._session = None
        url = f"{self.settings.api_base.rstrip('/')}/xrpc/com.atproto.server.refreshSession"
        try:
            self._session = self._opened(url, headers={"Authorization": f"Bearer {refresh}"})
        except (_Expired, Unauthorised):
            self._signed_in()

    def _opened(self, url: str, **kwargs: Any) -> dict[str, str]:
        """A session; opening one posts nothing, so an answer that is lost here is no question."""
        try:
            answer = self.call("POST", url, **kwargs)
            opened = {key: str(answer.json()[key]) for key in ("did", "handle", "accessJwt", "refreshJwt")}
        except (KeyError, TypeError, ValueError):
            raise Transient("the sign-in was answered with something unreadable") from None
        except Outcome as outcome:
            if isinstance(outcome, Unauthorised | Transient) or outcome.status in {400, 429}:
                raise
            raise Transient(outcome.words, status=outcome.status) from None
        finally:
            self.session.fresh()
        for key in ("accessJwt", "refreshJwt"):
            self.session.learn(opened[key])
        return opened

    def _xrpc(self, method: str, name: str, **kwargs: Any) -> requests.Response:
        url = f"{self.settings.api_base.rstrip('/')}/xrpc/{name}"
        for _ in range(2):
            bearer = {"Authorization": f"Bearer {self._signed_in()['accessJwt']}"}
            try:
                return self.call(method, url, headers=bearer, **kwargs)
            except _Expired:
                self._refresh()
        return self.call(method, url, headers={"Authorization": f"Bearer {self._signed_in()['accessJwt']}"}, **kwargs)

    def _receipt(self, uri: str) -> Receipt:
        did, _, key = uri.removeprefix("at://").split("/")
        return Receipt(remote_id=uri, permalink=f"{self.settings.web_base.rstrip('/')}/profile/{did}/post/{key}")


class _Expired(Unauthorised):
    """The session is over; a new one may be had."""


def _embed(message: Message) -> dict[str, Any]:
    if message.card is None:
        return {}
    external = {"uri": message.card.url, "title": message.card.title, "description": message.card.description}
    return {"embed": {"$type": "app.bsky.embed.external", "external": external}}


def _kind(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""
