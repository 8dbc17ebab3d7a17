"""Bluesky, by plain XRPC. Source: the lexicons com.atproto.repo.putRecord and app.bsky.feed.post; docs.bsky.app.

Each post is written with ``putRecord`` under a key that we choose when the share is planned: the same bytes under the
same key are one post, however often they are sent.
"""

from __future__ import annotations

import threading
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.errors import Duplicate, Outcome, Refused, Transient, Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.base import NetworkSettings, json_object
from reverberate.networks.flows import Ask, PasteFlow
from reverberate.networks.parts import Part, Threading, each_deleted, each_edited, once, unposted
from reverberate.networks.tids import tid
from reverberate.secrets import Secret
from reverberate.text.facets import detect
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import JSON, Delivery, Picture
    from reverberate.text.facets import Facet

POST = "app.bsky.feed.post"
MOST_PICTURES = 4
BLOB_HOLDS = timedelta(minutes=50)


def _key(delivery: Delivery, part: Part) -> str:
    """Each part of a thread is a second younger than the one before it: no other share of that second is so old."""
    return tid(delivery.planned + timedelta(seconds=part.number), delivery.serial)


class BlueskySettings(NetworkSettings):
    """One account."""

    handle: str = Field(min_length=1, description="The account's handle, e.g. you.bsky.social")
    app_password: Secret = Field(description="From Settings > App passwords; not the account's own password.")
    api_base: str = Field(default="https://bsky.social", description="The account's PDS.")
    web_base: str = Field(default="https://bsky.app", description="Where people read it.")


class Bluesky(Threading):
    """Posts records with facets and a link card."""

    name, title, assurance = "bluesky", "Bluesky", Assurance.IDENTITY
    limit, Settings = LIMITS["bluesky"], BlueskySettings
    card = True
    carries = frozenset({"card", "attach"})
    settings: BlueskySettings
    _session: dict[str, str] | None = None

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._lock = threading.RLock()

    @classmethod
    def flow(cls, settings: BlueskySettings) -> PasteFlow:
        """See Connects: an app password, which can post and not change the account. Source: docs.bsky.app."""
        where = f"make an app password for {settings.handle} at https://bsky.app/settings/app-passwords and paste it"
        return PasteFlow(where=where, asks=(Ask("app_password", "App password"),))

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """See Threading."""
        did, key = self._signed_in()["did"], _key(delivery, part)
        record = self._record(delivery, part)
        body = {"repo": did, "collection": POST, "rkey": key, "validate": True, "record": record}
        told = json_object(self._xrpc("POST", "com.atproto.repo.putRecord", json=body))
        return self._receipt(told.get("uri") or f"at://{did}/{POST}/{key}", str(told.get("cid", "")))

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; only over a record that is there, so that nothing that was deleted comes back."""

        def change(part: Part, there: Receipt) -> Receipt:
            repo, key = self._signed_in()["did"], there.remote_id.rpartition("/")[2]
            held = self._held(key)
            if held is None:
                raise Refused("the post is not there any more")
            body = {"repo": repo, "collection": POST, "rkey": key, "record": self._record(delivery, part)}
            told = json_object(
                self._xrpc("POST", "com.atproto.repo.putRecord", json=body | {"swapRecord": held.version})
            )
            return self._receipt(there.remote_id, str(told.get("cid", "")))

        return each_edited(delivery, receipt, change)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes; afterwards it is not there, whether or not it was."""

        def take_back(there: Receipt) -> None:
            key = there.remote_id.rpartition("/")[2]
            body = {"repo": self._signed_in()["did"], "collection": POST, "rkey": key}
            self._xrpc("POST", "com.atproto.repo.deleteRecord", json=body)

        each_deleted(delivery, receipt, take_back)

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        """See Threading: exact, by the record's key."""
        return self._held(_key(delivery, part))

    def _held(self, key: str) -> Receipt | None:
        params = {"repo": self._signed_in()["did"], "collection": POST, "rkey": key}
        try:
            told = self._xrpc("GET", "com.atproto.repo.getRecord", params=params).json()
        except Outcome as outcome:
            if "RecordNotFound" in outcome.words:
                return None
            raise
        return self._receipt(told["uri"], str(told.get("cid", "")))

    def verify(self) -> Standing:
        """See Verifies."""
        self._signed_in()
        me = self._xrpc("GET", "com.atproto.server.getSession").json()
        gone = [f"the account is {me.get('status') or 'not active'}"] if me.get("active") is False else []
        return Standing(who=f"@{me['handle']}", troubles=tuple(gone))

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts. Source: the lexicon app.bsky.feed.getPosts; the PDS passes the question on."""
        posts = self._xrpc("GET", "app.bsky.feed.getPosts", params={"uris": receipt.remote_id}).json().get("posts")
        if not posts:
            raise Refused("the post is gone", status=404)
        names = {"likes": "likeCount", "reposts": "repostCount", "replies": "replyCount"}
        return Reactions(**{ours: posts[0].get(theirs) for ours, theirs in names.items()})

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

    def _record(self, delivery: Delivery, part: Part) -> dict[str, Any]:
        """The record, the same at each attempt: nothing in it depends on the hour."""
        created = (delivery.planned + timedelta(seconds=part.number)).astimezone(UTC)
        stamp = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record: dict[str, Any] = {"$type": POST, "text": part.text, "createdAt": stamp}
        if part.language:
            record["langs"] = [part.language]
        if facets := [shaped for facet in detect(part.text) if (shaped := self._facet(facet))]:
            record["facets"] = facets
        if part.first and part.parent:
            record["reply"] = {"root": self._strong(part.first), "parent": self._strong(part.parent)}
        return record | self._embed(delivery, part)

    def _strong(self, receipt: Receipt) -> dict[str, str]:
        """A reference to a record that is there, in its version."""
        version = receipt.version
        if not version:
            held = self._held(receipt.remote_id.rpartition("/")[2])
            version = held.version if held else ""
        return {"uri": receipt.remote_id, "cid": version}

    def _embed(self, delivery: Delivery, part: Part) -> dict[str, Any]:
        if part.pictures:
            images = [
                {"image": self._blob(delivery, picture), "alt": picture.alt}
                | {"aspectRatio": {"width": picture.width, "height": picture.height}}
                for picture in part.pictures[:MOST_PICTURES]
            ]
            return {"embed": {"$type": "app.bsky.embed.images", "images": images}}
        if part.card is None:
            return {}
        external: dict[str, Any] = {
            "uri": part.card.url,
            "title": part.card.title,
            "description": part.card.description,
        }
        if part.card.picture:
            external["thumb"] = self._blob(delivery, part.card.picture)
        return {"embed": {"$type": "app.bsky.embed.external", "external": external}}

    def _blob(self, delivery: Delivery, picture: Picture) -> Any:
        """The reference by which a record names an uploaded picture; the same bytes have the same one."""
        name = f"picture {picture.digest[:16]}"
        return once(delivery, name, lambda: self._upload(delivery, picture), now=self.now(), holds=BLOB_HOLDS)["blob"]

    def _upload(self, delivery: Delivery, picture: Picture) -> Mapping[str, JSON]:
        headers = {"Content-Type": picture.mime}
        with unposted(self):
            data = delivery.load(picture.digest)
            return {
                "blob": json_object(self._xrpc("POST", "com.atproto.repo.uploadBlob", data=data, headers=headers))[
                    "blob"
                ]
            }

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
        with self._lock:
            if self._session is None:
                login = {"identifier": self.settings.handle, "password": self.settings.app_password.reveal()}
                url = f"{self.settings.api_base.rstrip('/')}/xrpc/com.atproto.server.createSession"
                self._session = self._opened(url, json=login)
            return self._session

    def _refresh(self, expired: dict[str, str]) -> None:
        """A new session for one that is over; a refresh token works once, so one thread asks and the others wait."""
        with self._lock:
            if self._session is not expired:
                return
            self._session = None
            url = f"{self.settings.api_base.rstrip('/')}/xrpc/com.atproto.server.refreshSession"
            try:
                self._session = self._opened(url, headers={"Authorization": f"Bearer {expired['refreshJwt']}"})
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
        url, headers = f"{self.settings.api_base.rstrip('/')}/xrpc/{name}", kwargs.pop("headers", {})
        for last in (False, False, True):
            session = self._signed_in()
            bearer = {"Authorization": f"Bearer {session['accessJwt']}"}
            try:
                return self.call(method, url, headers=bearer | headers, **kwargs)
            except _Expired:
                if last:
                    raise
                self._refresh(session)
        raise AssertionError("the last round returns or raises")

    def _receipt(self, uri: str, version: str) -> Receipt:
        did, _, key = uri.removeprefix("at://").split("/")
        permalink = f"{self.settings.web_base.rstrip('/')}/profile/{did}/post/{key}"
        return Receipt(remote_id=uri, permalink=permalink, version=version)


class _Expired(Unauthorised):
    """The session is over; a new one may be had."""


def _kind(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""
