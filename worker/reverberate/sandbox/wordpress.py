"""A WordPress site as its clients see it: posts, media, tags and categories of the REST API."""

from __future__ import annotations

import base64
import binascii
import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.text.markup import plain

if TYPE_CHECKING:
    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

KINDS = ("tags", "categories")
STATUSES = {"publish", "future", "draft", "pending", "private", "trash"}
MAY = ("edit_posts", "publish_posts", "upload_files")
KEPT = ("title", "content", "excerpt", "status", "format", "tags", "categories", "featured_media")


class WordPress(Personality):
    """One site for all accounts of a seed; each account is a user with an application password."""

    name = "wordpress"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs = blobs
        self._terms: dict[tuple[str, str], int] = {}  # by kind and name; drawn anew from the name after a restart
        self._media: dict[int, str] = {}

    def account_of(self, request: Request) -> str:
        """See Personality: a user with an application password, or a bearer token as WordPress.com takes it."""
        if request.bearer:
            return self.owner(request.bearer)
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        user, _, password = _decoded(given).partition(":") if kind.lower() == "basic" else ("", "", "")
        return user if user and keys.owner(self.seed, self.name, password) == user else ""

    def create(self, call: Call) -> Answer:
        """POST /posts."""
        if refusal := self._refusal(call):
            return refusal
        with self.ledger.lock:
            number = str(self.ledger.serial() + 10)
            kept: dict[str, Any] = {"status": "draft"}
            kept |= {name: call.request.fields[name] for name in KEPT if name in call.request.fields}
            text, link = _words(kept)
            entry = self.accept(call, remote_id=number, place=f"posts/{number}", text=text, link=link, **kept)
        return Answer.of(self._shown(entry, call), 201)

    def edit(self, call: Call) -> Answer:
        """POST /posts/:id."""
        entry = self.own(call, call.parts[0])
        if entry is None:
            return _missing()
        if refusal := self._refusal(call):
            return refusal
        kept = entry.details | {name: call.request.fields[name] for name in KEPT if name in call.request.fields}
        text, link = _words(kept)
        changed = self.ledger.edit(replace(entry, text=text, link=link, details=kept), at=call.now)
        return Answer.of(self._shown(changed, call))

    def delete(self, call: Call) -> Answer:
        """DELETE /posts/:id."""
        entry = self.own(call, call.parts[0])
        if entry is None:
            return _missing()
        self.ledger.delete(entry, at=call.now)
        return Answer.of(self._shown(entry, call) | {"status": "trash"})

    def one(self, call: Call) -> Answer:
        """GET /posts/:id."""
        entry = call.view.shows(self.ledger.get(self.name, call.parts[0]))
        return Answer.of(self._shown(entry, call)) if entry else _missing()

    def posts(self, call: Call) -> Answer:
        """GET /posts."""
        wanted = set(call.request.query.get("status", "publish").split(","))
        if wanted - STATUSES:
            return self.problem(400, "Invalid parameter(s): status")
        found = self.listed(
            call, most=call.whole("per_page", default=10, most=100), where=lambda e: e.details["status"] in wanted
        )
        return Answer.of([self._shown(entry, call) for entry in found])

    def upload(self, call: Call) -> Answer:
        """POST /media."""
        contents = call.request.files.get("file", b"")
        if not contents:
            return _error("rest_upload_no_data", "No data supplied.", 400)
        number = 10**6 + len(self._media)
        self._media[number] = self._blobs.put(contents)
        alt = call.request.files.get("alt_text", b"").decode(errors="replace")
        return Answer.of({"id": number, "alt_text": alt, "media_type": "image"}, 201)

    def tags(self, call: Call) -> Answer:
        """GET /tags."""
        return self._found(call, "tags")

    def categories(self, call: Call) -> Answer:
        """GET /categories."""
        return self._found(call, "categories")

    def make_tag(self, call: Call) -> Answer:
        """POST /tags."""
        return self._made(call, "tags")

    def make_category(self, call: Call) -> Answer:
        """POST /categories."""
        return self._made(call, "categories")

    def me(self, call: Call) -> Answer:
        """GET /users/me."""
        number = int(keys.number(self.seed, self.name, call.account)) % 10**6
        told = {"id": number, "name": call.account, "slug": call.account, "capabilities": dict.fromkeys(MAY, True)}
        return Answer.of(told)

    def comments(self, call: Call) -> Answer:
        """GET /comments: nobody says anything."""
        del call
        return Answer.of([]).told(X_WP_Total="0", X_WP_TotalPages="0")

    routes = (
        Route("POST", "/posts", Purpose.PUBLISH, create),
        Route("GET", "/posts", Purpose.LIST, posts),
        Route("GET", "/posts/*", Purpose.READ, one),
        Route("POST", "/posts/*", Purpose.CHANGE, edit),
        Route("DELETE", "/posts/*", Purpose.CHANGE, delete),
        Route("POST", "/media", Purpose.OTHER, upload),
        Route("GET", "/tags", Purpose.OTHER, tags),
        Route("POST", "/tags", Purpose.OTHER, make_tag),
        Route("GET", "/categories", Purpose.OTHER, categories),
        Route("POST", "/categories", Purpose.OTHER, make_category),
        Route("GET", "/users/me", Purpose.OTHER, me),
        Route("GET", "/comments", Purpose.OTHER, comments),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        codes = {400: "rest_invalid_param", 404: "rest_no_route", 429: "too_many_requests"}
        return _error(codes.get(status, "internal_server_error" if status >= 500 else "rest_forbidden"), words, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return _error("incorrect_password", "The provided password is an invalid application password.", 401)

    def duplicate(self) -> Answer:
        """See Personality: WordPress knows none; whatever is posted is posted."""
        return _error("rest_invalid_param", "Invalid parameter(s): title", 400)

    def _refusal(self, call: Call) -> Answer | None:
        given = call.request.fields
        if not any(given.get(name) for name in ("title", "content", "excerpt")):
            return _error("empty_content", "Content, title, and excerpt are empty.", 400)
        if given.get("status", "draft") not in STATUSES:
            return self.problem(400, "Invalid parameter(s): status")
        if any(set(given.get(kind, ())) - set(self._terms.values()) for kind in KINDS):
            return self.problem(400, "Invalid parameter(s): tags")
        return None

    def _found(self, call: Call, kind: str) -> Answer:
        asked = call.request.query.get("search", "").casefold()
        return Answer.of(
            [
                {"id": number, "name": html.escape(name)}
                for (of, name), number in self._terms.items()
                if of == kind and asked in name.casefold()
            ]
        )

    def _made(self, call: Call, kind: str) -> Answer:
        name = call.said("name").strip()
        if not name:
            return self.problem(400, "Missing parameter(s): name")
        if (kind, name) in self._terms:
            data = {"status": 400, "term_id": self._terms[kind, name]}
            return Answer.of({"code": "term_exists", "message": "A term with the name exists.", "data": data}, 400)
        number = int(keys.draw(self.seed, self.name, kind, name)[:7], 16)
        self._terms[kind, name] = number
        return Answer.of({"id": number, "name": html.escape(name)}, 201)

    def _shown(self, entry: Entry, call: Call) -> dict[str, Any]:
        kept = entry.details
        raw = {name: {"raw": kept.get(name) or "", "rendered": kept.get(name) or ""} for name in ("title", "content")}
        return {
            "id": int(entry.remote_id),
            "date_gmt": entry.when.strftime("%Y-%m-%dT%H:%M:%S"),
            "link": call.address(entry),
            "status": kept["status"],
            "featured_media": kept.get("featured_media", 0),
            **{kind: kept.get(kind, []) for kind in KINDS},
            **raw,
        }


def _decoded(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _words(kept: dict[str, Any]) -> tuple[str, str]:
    """What a reader reads, and where its last link leads."""
    content = str(kept.get("content") or "")
    links = re.findall(r'href="([^"]*)"', content)
    return f"{plain(str(kept.get('title') or ''))}\n\n{plain(content)}".strip(), html.unescape(
        links[-1]
    ) if links else ""


def _missing() -> Answer:
    return _error("rest_post_invalid_id", "Invalid post ID.", 404)


def _error(code: str, message: str, status: int) -> Answer:
    return Answer.of({"code": code, "message": message, "data": {"status": status}}, status)
