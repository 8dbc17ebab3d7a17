"""Bluesky, by plain XRPC. Source: the lexicons com.atproto.repo.putRecord and app.bsky.feed.post; docs.bsky.app.

Each post is written with ``putRecord`` under a key that we choose when the share is planned: the same bytes under the
same key are one post, however often they are sent.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reverberate.baton import waiting_for
from reverberate.errors import Duplicate, Outcome, Refused, Transient, Unauthorised
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, fine_if
from reverberate.networks.base import NetworkSettings, with_link
from reverberate.networks.flows import Ask, PasteFlow
from reverberate.networks.parts import Part, Threading, each_deleted, each_edited, uploaded
from reverberate.networks.rest import REST
from reverberate.networks.tids import tid
from reverberate.secrets import Secret
from reverberate.text.facets import detect
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from reverberate.model import Delivery, Picture
    from reverberate.networks.parts import File
    from reverberate.text.facets import Facet

POST = "app.bsky.feed.post"
MOST_PICTURES = 4
FEATURES = {"link": "uri", "tag": "tag", "mention": "did"}
"""Under which name each kind of facet holds what it leads to."""
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


class _Expired(Unauthorised):
    """The session is over; a new one may be had."""


class Bluesky(Threading, REST):
    """Posts records with facets and a link card."""

    name, title, assurance = "bluesky", "Bluesky", Assurance.IDENTITY
    limit, Settings = LIMITS["bluesky"], BlueskySettings
    card, displaces = True, True
    carries = frozenset({"card", "attach"})
    settings: BlueskySettings
    prefix = "/xrpc/"
    coded = ("error",)
    table = (
        Means(_Expired, codes={"ExpiredToken", "InvalidToken"}),
        Means(Unauthorised, codes={"AuthFactorTokenRequired", "AccountTakedown", "AccountDeactivated"}),
        Means(Duplicate, codes={"InvalidSwap"}),
        Means(Transient, codes={"UpstreamFailure"}),
    )
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
        key = _key(delivery, part)
        told = self._put(key, self._record(delivery, part), validate=True)
        return self._told(told.get("uri") or f"at://{self._did()}/{POST}/{key}", told)

    def _put(self, key: str, record: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
        return self.write("POST", "com.atproto.repo.putRecord", json=self._place(key) | {"record": record, **more})

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits; only over a record that is there, so that nothing that was deleted comes back."""

        def change(part: Part, there: Receipt) -> Receipt:
            key = _key_of(there)
            held = self._held(key)
            if held is None:
                raise Refused("the post is not there any more")
            told = self._put(key, self._record(delivery, part), swapRecord=held.version)
            return self._told(there.remote_id, told)

        return each_edited(delivery, receipt, change)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes; afterwards it is not there, whether or not it was."""

        def take_back(there: Receipt) -> None:
            self.api("POST", "com.atproto.repo.deleteRecord", json=self._place(_key_of(there)))

        each_deleted(delivery, receipt, take_back)

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        """See Threading: exact, by the record's key."""
        return self._held(_key(delivery, part))

    def _held(self, key: str) -> Receipt | None:
        with fine_if("(recordnotfound)"):
            told = self.read("com.atproto.repo.getRecord", **self._place(key))
            return self._told(told["uri"], told)
        return None

    def _did(self) -> str:
        return self._signed_in()["did"]

    def _place(self, key: str) -> dict[str, str]:
        return {"repo": self._did(), "collection": POST, "rkey": key}

    def verify(self) -> Standing:
        """See Verifies."""
        self._signed_in()
        me = self.read("com.atproto.server.getSession")
        gone = [f"the account is {me.get('status') or 'not active'}"] if me.get("active") is False else []
        return Standing(who=f"@{me['handle']}", troubles=tuple(gone))

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts. Source: the lexicon app.bsky.feed.getPosts; the PDS passes the question on."""
        posts = self.read("app.bsky.feed.getPosts", uris=receipt.remote_id).get("posts")
        if not posts:
            raise Refused("the post is gone", status=404)
        names = {"likes": "likeCount", "reposts": "repostCount", "replies": "replyCount"}
        return Reactions(**{ours: posts[0].get(theirs) for ours, theirs in names.items()})

    def _record(self, delivery: Delivery, part: Part) -> dict[str, Any]:
        """The record, the same at each attempt: nothing in it depends on the hour."""
        created = (delivery.planned + timedelta(seconds=part.number)).astimezone(UTC)
        stamp = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = with_link(part.text, part.link, self.limit) if part.pictures and part.card else part.text
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": stamp}
        if part.language:
            record["langs"] = [part.language]
        if facets := [shaped for facet in detect(text) if (shaped := self._facet(facet))]:
            record["facets"] = facets
        if part.first and part.parent:
            record["reply"] = {"root": self._strong(part.first), "parent": self._strong(part.parent)}
        return record | self._embed(delivery, part)

    def _strong(self, receipt: Receipt) -> dict[str, str]:
        """A reference to a record that is there, in its version."""
        version = receipt.version
        if not version:
            held = self._held(_key_of(receipt))
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
        card = part.card
        external: dict[str, Any] = {"uri": card.url, "title": card.title, "description": card.description}
        if card.picture:
            external["thumb"] = self._blob(delivery, card.picture)
        return {"embed": {"$type": "app.bsky.embed.external", "external": external}}

    def _blob(self, delivery: Delivery, picture: Picture) -> Any:
        """The reference by which a record names an uploaded picture; the same bytes have the same one."""

        def upload(file: File) -> Any:
            headers = {"Content-Type": file[2]}
            return self.write("POST", "com.atproto.repo.uploadBlob", data=file[1], headers=headers)["blob"]

        return uploaded(self, delivery, picture, upload, holds=BLOB_HOLDS)

    def _facet(self, facet: Facet) -> dict[str, Any] | None:
        value = self._resolved(facet.value) if facet.kind == "mention" else facet.value
        feature = {"$type": f"app.bsky.richtext.facet#{facet.kind}", FEATURES[facet.kind]: value}
        return {"index": {"byteStart": facet.start, "byteEnd": facet.end}, "features": [feature]} if value else None

    def _resolved(self, handle: str) -> str:
        """The DID of a handle; "" where there is none, and the mention stays plain text."""
        try:
            return str(self.read("com.atproto.identity.resolveHandle", handle=handle)["did"])
        except Outcome as outcome:
            if outcome.status == 400:
                return ""
            raise  # not now is not never: the record must be the same at each attempt

    def _signed_in(self) -> dict[str, str]:
        with waiting_for(self._lock):
            if self._session is None:
                login = {"identifier": self.settings.handle, "password": self.settings.app_password.reveal()}
                self._session = self._opened("createSession", json=login)
            return self._session

    def _refresh(self, expired: dict[str, str]) -> None:
        """A new session for one that is over; a refresh token works once, so one thread asks and the others wait."""
        with waiting_for(self._lock):
            if self._session is not expired:
                return
            self._session = None
            try:
                self._session = self._opened(
                    "refreshSession", headers={"Authorization": f"Bearer {expired['refreshJwt']}"}
                )
            except (_Expired, Unauthorised):
                self._signed_in()

    def _opened(self, how: str, **kwargs: Any) -> dict[str, str]:
        """A session; opening one posts nothing, so an answer that is lost here is no question."""
        try:
            answer = self.call("POST", f"{self.root()}com.atproto.server.{how}", **kwargs)
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

    def api(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """See REST; in a session, which is renewed when it is over."""
        for last in (False, False, True):
            session = self._signed_in()
            bearer = {"Authorization": f"Bearer {session['accessJwt']}"}
            try:
                return self.call(method, self.root() + path, headers={**bearer, **(headers or {})}, **more)
            except _Expired:
                if last:
                    raise
                self._refresh(session)
        raise AssertionError("the last round returns or raises")

    def _told(self, uri: str, told: Mapping[str, Any]) -> Receipt:
        did, _, key = uri.removeprefix("at://").split("/")
        return replace(self.receipt(uri, f"/profile/{did}/post/{key}"), version=str(told.get("cid", "")))


def _key_of(receipt: Receipt) -> str:
    return receipt.remote_id.rpartition("/")[2]
