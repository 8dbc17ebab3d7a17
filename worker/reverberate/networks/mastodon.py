"""Mastodon, and the servers that speak its API (kin.py). Source: docs.joinmastodon.org, statuses API, entity Instance."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field

from reverberate.baton import lent
from reverberate.errors import Outcome, RateLimited, Refused, Transient
from reverberate.model import Assurance, Reactions, Receipt, Standing
from reverberate.networks.answers import Means, missing_is_fine
from reverberate.networks.base import NetworkSettings
from reverberate.networks.flows import App, OAuth2Flow, asked
from reverberate.networks.kin import Kin, counted, kin_of, media, software, statuses
from reverberate.networks.likeness import parse_instant, says
from reverberate.networks.parts import Part, Threading, each_deleted, each_edited, uploaded
from reverberate.networks.rest import REST
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reverberate.http import Session
    from reverberate.model import Delivery, Picture
    from reverberate.networks.parts import File
    from reverberate.text.limits import Limit

KNOWN_FOR = timedelta(days=1)
MEDIA_HOLDS = timedelta(minutes=50)
MEDIA_LOOKS, MEDIA_PAUSE = 20, 0.5
SCOPES = ("read:accounts", "read:statuses", "write:media", "write:statuses")
V = TypeVar("V")


class MastodonSettings(NetworkSettings):
    """One account on one server."""

    instance: str = Field(pattern=r"^https?://[^/]+/?$", description="The server, e.g. https://mastodon.example")
    access_token: Secret = Field(description="With write:statuses, read:statuses and read:accounts.")
    visibility: Literal["public", "unlisted", "private"] = Field(default="public", description="Who sees it.")
    content_warning: str = Field(default="", description="What is shown before each text, which is folded away.")
    api_base: str = Field(default="", description="Where the API is, if not at the instance.")


class Mastodon(Threading, REST):
    """Posts statuses, each under its delivery's key."""

    name, title, assurance = "mastodon", "Mastodon", Assurance.IDENTITY
    limit, Settings = LIMITS["mastodon"], MastodonSettings
    carries = frozenset({"attach"})  # the link card is the server's own work
    identity_window = timedelta(minutes=50)  # the server keeps a key for an hour; its kin may not keep it at all
    warns = True
    settings: MastodonSettings
    table = (
        Means(RateLimited, {503}, header="Retry-After"),  # how GoToSocial throttles
        Means(Transient, {422}, words=("not finished processing",)),
    )

    @classmethod
    def flow(cls, settings: MastodonSettings) -> OAuth2Flow:
        """See Connects: each server knows us as an app of its own. Source: docs.joinmastodon.org, OAuth, apps API."""
        web, api = settings.instance.rstrip("/"), (settings.api_base or settings.instance).rstrip("/")
        return OAuth2Flow(
            authorize_url=f"{web}/oauth/authorize",
            token_url=f"{api}/oauth/token",
            revoke_url=f"{api}/oauth/revoke",
            scopes=SCOPES,
            register=partial(registered, api=api),
        )

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """See Threading."""
        kin, status = self._kin(), self._said(delivery, part) | {"visibility": self.settings.visibility}
        if kin.pictured and not part.pictures:
            raise Refused(f'{kin.title} takes no post without a picture; set picture = "attach" for this account')
        if part.parent:
            status["in_reply_to_id"] = part.parent.remote_id
        key = {"Idempotency-Key": part.key} if kin.sends_key else {}
        return self._receipt(self.write("POST", "/api/v1/statuses", json=status, headers=key))

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:  # noqa: ARG002 - the part says it all
        """See Threading: our newest statuses, by what they answer, or by the link or the words, and by the time."""
        me = self.read("/api/v1/accounts/verify_credentials")["id"]
        for status in self.listed(f"/api/v1/accounts/{me}/statuses", exclude_reblogs="true", limit="40"):
            answers = str(status.get("in_reply_to_id") or "") == (part.parent.remote_id if part.parent else "")
            if (
                answers
                and parse_instant(status["created_at"]) >= part.since
                and says(part.text, part.link, unescape(str(status["content"])))
            ):
                return self._receipt(status)
        return None

    def _said(self, delivery: Delivery, part: Part) -> dict[str, Any]:
        """What of a status may be edited."""
        said: dict[str, Any] = {"status": part.text}
        if part.language:
            said["language"] = part.language.split("-")[0].lower()
        if part.warning:
            said |= {"spoiler_text": part.warning, "sensitive": True}
        if pictures := self._taken(part.pictures):
            said["media_ids"] = [self._attached(delivery, picture) for picture in pictures]
        return said

    def _taken(self, pictures: Sequence[Picture]) -> Sequence[Picture]:
        """Those that the server takes; a picture is never worth a share."""
        if not pictures:
            return ()
        told = self._instance()
        largest = media(told).get("image_size_limit")
        most = int(statuses(told).get("max_media_attachments") or self._kin().pictures)
        return [picture for picture in pictures if not largest or picture.size <= int(largest)][:most]

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits."""
        self._must("edits", "edited")

        def change(part: Part, there: Receipt) -> Receipt:
            path = f"/api/v1/statuses/{there.remote_id}"
            return self._receipt(self.write("PUT", path, json=self._said(delivery, part)))

        return each_edited(delivery, receipt, change)

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes."""
        self._must("deletes", "deleted")

        def take_back(there: Receipt) -> None:
            with missing_is_fine():
                self.api("DELETE", f"/api/v1/statuses/{there.remote_id}")

        each_deleted(delivery, receipt, take_back)

    def _must(self, ability: str, done: str) -> None:
        """Refuse what the server's software cannot do; its 404 would look like something that is gone."""
        kin = self._surely()
        if not getattr(kin, ability):
            raise Refused(f"nothing can be {done} by way of {kin.title}'s API; do it there")

    def _attached(self, delivery: Delivery, picture: Picture) -> str:
        """The id under which the server holds a picture, ready to be attached."""
        longest = int(media(self._instance()).get("description_limit") or self._kin().alt)
        words = {"description": picture.alt[:longest]} if picture.alt else {}

        def upload(file: File) -> Any:
            made = self.write("POST", "/api/v2/media", files={"file": file}, data=words)
            for _ in range(MEDIA_LOOKS):
                if made.get("url"):
                    return str(made["id"])
                with lent():
                    time.sleep(MEDIA_PAUSE)
                made = self.read(f"/api/v1/media/{made['id']}")
            raise Transient("the server is still working on the picture", after=timedelta(seconds=30))

        return str(uploaded(self, delivery, picture, upload, holds=MEDIA_HOLDS))

    def verify(self) -> Standing:
        """See Verifies; with the scopes of the app where the server names them (from version 4.3 on)."""
        me = self.read("/api/v1/accounts/verify_credentials")
        kin, limit, wanted = self._kin(), self.live_limit(), self.settings.visibility
        key = f"keeps a key for {kin.key_holds}" if kin.key_holds else "keeps no key: what is unsure is looked up"
        troubles = [f"the account is {word}" for word in ("suspended", "limited") if me.get(word)]
        if wanted not in kin.visibilities:
            troubles.append(f"{kin.title} does not keep the visibility {wanted!r}; it shows such posts otherwise")
        scopes = self._scopes()
        if scopes and not scopes & {"write", "write:statuses"}:
            troubles.append("its token may not post: it lacks write:statuses")
        return Standing(
            who=f"@{me['acct']}@{self.settings.instance.split('//')[1].strip('/')}",
            notes=(f"{kin.title}; {limit.maximum:,} {limit.unit}; {key}",),
            troubles=tuple(troubles),
        )

    def _scopes(self) -> set[str]:
        try:
            return set(self.read("/api/v1/apps/verify_credentials").get("scopes") or ())
        except Outcome as outcome:
            if outcome.status is None:
                raise
            return set()  # a server that does not tell

    def reactions(self, receipt: Receipt) -> Reactions:
        """See Counts. Source: docs.joinmastodon.org, entity Status."""
        told = self.read(f"/api/v1/statuses/{receipt.remote_id}")
        names = {"likes": "favourites_count", "reposts": "reblogs_count", "replies": "replies_count"}
        return Reactions(**{ours: told.get(theirs) for ours, theirs in names.items()})

    def live_limit(self) -> Limit:
        """See Network: what the server says of itself, counted as its software counts; remembered for a day."""
        return counted(self._kin(), self._instance(), source=f"{self.settings.instance} itself")

    def _kin(self) -> Kin:
        """What its software makes of the API; where that cannot be asked for now, Mastodon is the guess."""
        try:
            return self._surely()
        except Outcome:
            return kin_of("mastodon")

    def _surely(self) -> Kin:
        """What its software makes of the API. May raise an Outcome."""
        kin = self._kept("kin", lambda: kin_of(software(self._told, urlsplit(self.root()).path)))
        self.session.lasting = self.session.lasting and kin.lasting
        return kin

    def _instance(self) -> Mapping[str, Any]:
        """What it says of itself; several know version 1 only. May raise an Outcome."""
        return self._kept("instance", lambda: self._told("/api/v2/instance") or self._told("/api/v1/instance"))

    def _kept(self, name: str, ask: Callable[[], V]) -> V:
        """What was asked for within a day is not asked for again."""
        return self.known.kept(name, ask, now=self.now, holds=KNOWN_FOR)

    def _told(self, path: str) -> Mapping[str, Any]:
        """What it answers there; nothing where there is nothing to be found. May raise an Outcome."""
        try:
            answer = self.api("GET", path).json()
        except ValueError:
            return {}
        except Outcome as outcome:
            if outcome.status not in {404, 410}:
                raise
            return {}
        return answer if isinstance(answer, dict) else {}

    def root(self) -> str:
        """See REST."""
        return (self.settings.api_base or self.settings.instance).rstrip("/")

    def _receipt(self, status: Mapping[str, Any]) -> Receipt:
        return self.receipt(status.get("id"), status.get("url") or status.get("uri") or "")


def registered(session: Session, redirect: str, *, api: str) -> App:
    """Our app on one server, made for this redirect address."""
    form = {"client_name": "Reverberate", "redirect_uris": redirect, "scopes": " ".join(SCOPES)}
    told = asked(session, "POST", f"{api}/api/v1/apps", data=form)
    return App(client_id=str(told["client_id"]), client_secret=str(told["client_secret"]))
