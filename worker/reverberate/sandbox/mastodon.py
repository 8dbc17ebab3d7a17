"""Mastodon as its clients see it: statuses with Idempotency-Key, the instance's limits, the account's own list."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reverberate.sandbox import entities, keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route, window_end
from reverberate.text.count import count
from reverberate.text.limits import LIMITS
from reverberate.text.links import mastodon_links

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

KEY_HOLDS = timedelta(hours=1)
FIRST_ID = 110_000_000_000_000_000
WINDOW_SECONDS = 300
SHOWN_OF_LINK = 30
SAID = ("language", "visibility", "spoiler_text", "in_reply_to_id")
VISIBILITIES = {"", "public", "unlisted", "private", "direct"}


class Mastodon(Personality):
    """One server for all accounts of a seed."""

    name = "mastodon"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs, *, max_characters: int = 500) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self._media: dict[str, dict[str, Any]] = {}
        self._limit = replace(LIMITS["mastodon"], maximum=max_characters)

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self.owner(request.bearer)

    def answer(self, route: Route | None, call: Call) -> Answer:
        """See Personality; with the rate limit in the headers."""
        reset = window_end(call.now, WINDOW_SECONDS).isoformat(timespec="microseconds").replace("+00:00", "Z")
        told = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", self.reset_header: reset}
        return super().answer(route, call).told(**told)

    def instance(self, call: Call) -> Answer:
        """GET /api/v2/instance."""
        limits = {"max_characters": self._limit.maximum, "link": self._limit.link or 0}
        return Answer.of(entities.instance(**limits, base=call.request.base))

    def instance_v1(self, call: Call) -> Answer:
        """GET /api/v1/instance."""
        del call
        return Answer.of(entities.instance_v1(max_characters=self._limit.maximum, link=self._limit.link or 0))

    def create(self, call: Call) -> Answer:
        """POST /api/v1/statuses."""
        text, key = call.said("status"), call.request.headers.get("idempotency-key", "")
        with self.ledger.lock:
            before = self.ledger.under(self.name, call.account, key) if key else None
            if before and call.now - before.when < KEY_HOLDS:
                return Answer.of(self._shown(before, call))
            if words := self._invalid(call, text):
                return self.problem(422, f"Validation failed: {words}")
            remote_id = str(FIRST_ID + self.ledger.serial())
            place = f"@{quote(call.account)}/{remote_id}"
            details: dict[str, Any] = {name: call.said(name) for name in SAID}
            details["media_attachments"] = self._attached(call)
            entry = self.accept(call, remote_id=remote_id, place=place, text=text, key=key, **details)
        return Answer.of(self._shown(entry, call))

    def edit(self, call: Call) -> Answer:
        """PUT /api/v1/statuses/:id."""
        entry, text = self.own(call, call.parts[0]), call.said("status")
        if entry is None:
            return self._not_found()
        if words := self._invalid(call, text):
            return self.problem(422, f"Validation failed: {words}")
        details = entry.details | {"edited_at": call.now.isoformat(), "spoiler_text": call.said("spoiler_text")}
        return Answer.of(self._shown(self.ledger.edit(replace(entry, text=text, details=details), at=call.now), call))

    def delete(self, call: Call) -> Answer:
        """DELETE /api/v1/statuses/:id."""
        entry = self.own(call, call.parts[0])
        if entry is None:
            return self._not_found()
        self.ledger.delete(entry, at=call.now)
        return Answer.of(self._shown(entry, call) | {"text": entry.text})

    def one(self, call: Call) -> Answer:
        """GET /api/v1/statuses/:id."""
        entry = call.view.shows(self.ledger.get(self.name, call.parts[0]))
        return Answer.of(self._shown(entry, call)) if entry else self._not_found()

    def me(self, call: Call) -> Answer:
        """GET /api/v1/accounts/verify_credentials."""
        return Answer.of(entities.own_account(call.account, number=self._user(call), base=call.request.base))

    def application(self, call: Call) -> Answer:
        """GET /api/v1/apps/verify_credentials."""
        del call
        return Answer.of(entities.application())

    def posts(self, call: Call) -> Answer:
        """GET /api/v1/accounts/:id/statuses."""
        if call.parts[0] != self._user(call):
            return self._not_found()
        after = call.whole("since_id", default=0, most=10**19)
        without_replies = call.request.query.get("exclude_replies", "") in {"true", "1"}
        found = self.listed(
            call,
            most=call.whole("limit", default=20, most=40),
            where=lambda e: int(e.remote_id) > after and not (without_replies and e.details["in_reply_to_id"]),
        )
        return Answer.of([self._shown(entry, call) for entry in found])

    def nodeinfo(self, call: Call) -> Answer:
        """GET /.well-known/nodeinfo."""
        place = f"{call.request.base}/{self.name}/nodeinfo/2.0"
        return Answer.of({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": place}]})

    def software(self, call: Call) -> Answer:
        """GET /nodeinfo/2.0."""
        del call
        return Answer.of({"version": "2.0", "software": {"name": "mastodon", "version": entities.VERSION}})

    def upload(self, call: Call) -> Answer:
        """POST /api/v2/media."""
        contents = call.request.files.get("file", b"")
        if not contents:
            return self.problem(422, "Validation failed: File can't be blank")
        cid, words = self._blobs.put(contents), call.request.files.get("description", b"").decode(errors="replace")
        with self.ledger.lock:
            number = str(len(self._media) + 1)
            self._media[number] = entities.media(number, url=f"{call.request.base}/blob/{cid}", words=words)
        return Answer.of(self._media[number])

    def medium(self, call: Call) -> Answer:
        """GET /api/v1/media/:id."""
        found = self._media.get(call.parts[0])
        return Answer.of(found) if found else self._not_found()

    routes = (
        Route("GET", "/.well-known/nodeinfo", Purpose.PAGE, nodeinfo, open=True),
        Route("GET", "/nodeinfo/2.0", Purpose.PAGE, software, open=True),
        Route("POST", "/api/v2/media", Purpose.OTHER, upload),
        Route("GET", "/api/v1/media/*", Purpose.OTHER, medium),
        Route("GET", "/api/v2/instance", Purpose.OTHER, instance, open=True),
        Route("GET", "/api/v1/instance", Purpose.OTHER, instance_v1, open=True),
        Route("POST", "/api/v1/statuses", Purpose.PUBLISH, create),
        Route("GET", "/api/v1/statuses/*", Purpose.READ, one),
        Route("PUT", "/api/v1/statuses/*", Purpose.CHANGE, edit),
        Route("DELETE", "/api/v1/statuses/*", Purpose.CHANGE, delete),
        Route("GET", "/api/v1/accounts/verify_credentials", Purpose.OTHER, me),
        Route("GET", "/api/v1/apps/verify_credentials", Purpose.OTHER, application),
        Route("GET", "/api/v1/accounts/*/statuses", Purpose.LIST, posts),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"error": words}, status)

    def _invalid(self, call: Call, text: str) -> str:
        """What is wrong with a status, or ""."""
        if not text.strip() and not call.request.fields.get("media_ids"):
            return "Text can't be blank"
        if set(call.request.fields.get("media_ids") or ()) - set(self._media):
            return "Media attachments could not be found"
        if count(text, self._limit) + count(call.said("spoiler_text"), self._limit) > self._limit.maximum:
            return f"Text character limit of {self._limit.maximum} exceeded"
        if call.said("visibility") not in VISIBILITIES:
            return "Visibility is not included in the list"
        return ""

    def _attached(self, call: Call) -> list[dict[str, Any]]:
        return [self._media[number] for number in call.request.fields.get("media_ids") or ()]

    def _not_found(self) -> Answer:
        return self.problem(404, "Record not found")

    def _user(self, call: Call) -> str:
        return keys.number(self.seed, self.name, call.account)

    def _shown(self, entry: Entry, call: Call) -> dict[str, Any]:
        number = keys.number(self.seed, self.name, entry.account)
        author = entities.account(entry.account, number=number, base=call.request.base)
        return entities.status(author, _told(entry, call))


def _told(entry: Entry, call: Call) -> dict[str, Any]:
    page, details = call.address(entry), entry.details
    return {
        "id": entry.remote_id,
        "created_at": entry.at,
        "edited_at": details.get("edited_at"),
        "in_reply_to_id": details["in_reply_to_id"] or None,
        "spoiler_text": details["spoiler_text"],
        "media_attachments": details.get("media_attachments", []),
        "visibility": details["visibility"] or "public",
        "language": details["language"] or None,
        "uri": page,
        "url": page,
        "content": markup(entry.text),
        "application": {"name": "sandbox", "website": None},
    }


def markup(text: str) -> str:
    """A status as HTML: paragraphs, line breaks, and links of which only a part is seen."""
    made, end = "", 0
    for start, stop in mastodon_links(text):
        made += html.escape(text[end:start], quote=False) + _anchor(text[start:stop])
        end = stop
    made += html.escape(text[end:], quote=False)
    return f"<p>{made.replace(chr(10) * 2, '</p><p>').replace(chr(10), '<br />')}</p>"


def _anchor(link: str) -> str:
    scheme, _, rest = link.partition("://")
    seen, hidden = rest[:SHOWN_OF_LINK], rest[SHOWN_OF_LINK:]
    spans = [("invisible", f"{scheme}://"), ("ellipsis" if hidden else "", seen), ("invisible", hidden)]
    inside = "".join(f'<span class="{name}">{html.escape(part)}</span>' for name, part in spans)
    return f'<a href="{html.escape(link)}" target="_blank" rel="nofollow noopener" translate="no">{inside}</a>'
