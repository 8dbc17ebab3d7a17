"""Tumblr as its clients see it: posts in the Neue Post Format, signed by OAuth 1.0a."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.sandbox.signatures import Signatures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Entry, Ledger
    from reverberate.sandbox.personality import Call

LONGEST_TEXT = 4096
FIRST_ID = 700_000_000_000_000_000


class Tumblr(Personality):
    """One blog for each account of a seed, of the same name."""

    name = "tumblr"

    def __init__(self, seed: str, ledger: Ledger, blobs: Blobs) -> None:
        super().__init__(seed, ledger)
        self._blobs, self._signatures = blobs, Signatures(self)

    def account_of(self, request: Request) -> str:
        """See Personality."""
        return self._signatures.claimed_by(request)

    def admits(self, call: Call) -> bool:
        """See Personality: the signature must be right, fresh and new."""
        return bool(call.account) and self._signatures.signed_by(call.request) == call.account

    def create(self, call: Call) -> Answer:
        """POST /v2/blog/:blog/posts."""
        post, blog = _asked(call), call.parts[0].removesuffix(".tumblr.com")
        if blog != call.account:
            return self.problem(403, "Forbidden")
        if trouble := _wrong(post):
            return self._bad(trouble)
        with self.ledger.lock:
            number = str(FIRST_ID + self.ledger.serial())
            self.accept(call, remote_id=number, place=f"{quote(blog)}/{number}", **self._kept(call, post))
        return _said({"id": number, "state": "published", "display_text": f"Posted to {blog}"}, 201)

    def edit(self, call: Call) -> Answer:
        """PUT /v2/blog/:blog/posts/:id."""
        entry, post = self.own(call, call.parts[1]), _asked(call)
        if entry is None:
            return self.problem(404, "Not Found")
        if trouble := _wrong(post):
            return self._bad(trouble)
        kept = self._kept(call, post)
        text, link = kept.pop("text"), kept.pop("link")
        self.ledger.edit(replace(entry, text=text, link=link, details=kept), at=call.now)
        return _said({"id": entry.remote_id})

    def delete(self, call: Call) -> Answer:
        """POST /v2/blog/:blog/post/delete."""
        entry = self.own(call, call.request.form.get("id", ""))
        if entry is None:
            return self.problem(404, "Not Found")
        self.ledger.delete(entry, at=call.now)
        return _said({"id": entry.remote_id})

    def posts(self, call: Call) -> Answer:
        """GET /v2/blog/:blog/posts?npf=true."""
        if call.parts[0].removesuffix(".tumblr.com") != call.account:
            return self.problem(404, "Not Found")
        found = self.listed(call, most=call.whole("limit", default=20, most=50))
        return _said({"posts": [_shown(entry, call) for entry in found], "total_posts": len(found)})

    def notes(self, call: Call) -> Answer:
        """GET /v2/blog/:blog/notes."""
        entry = call.view.shows(self.own(call, call.request.query.get("id", "")))
        if entry is None:
            return self.problem(404, "Not Found")
        totals = {"total_notes": 0, "total_likes": 0, "total_reblogs": 0, "total_replies": 0}
        return _said({"notes": [], **totals})

    def me(self, call: Call) -> Answer:
        """GET /v2/user/info."""
        blog = {"name": call.account, "url": f"https://{call.account}.tumblr.com/", "primary": True}
        return _said({"user": {"name": call.account, "likes": 0, "following": 0, "blogs": [blog]}})

    def limits(self, call: Call) -> Answer:
        """GET /v2/user/limits."""
        used = len(self.ledger.of(self.name, call.account))
        posts = {"description": "the number of posts", "limit": 250, "used": used, "remaining": max(0, 250 - used)}
        return _said({"user": {"posts": posts}})

    routes = (
        Route("POST", "/v2/blog/*/posts", Purpose.PUBLISH, create),
        Route("PUT", "/v2/blog/*/posts/*", Purpose.CHANGE, edit),
        Route("POST", "/v2/blog/*/post/delete", Purpose.CHANGE, delete),
        Route("GET", "/v2/blog/*/posts", Purpose.LIST, posts),
        Route("GET", "/v2/blog/*/notes", Purpose.READ, notes),
        Route("GET", "/v2/user/info", Purpose.OTHER, me),
        Route("GET", "/v2/user/limits", Purpose.OTHER, limits),
    )

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        errors = [{"title": words, "code": status, "detail": words}]
        return Answer.of({"meta": {"status": status, "msg": words}, "response": [], "errors": errors}, status)

    def unauthorised(self) -> Answer:
        """See Personality."""
        return self.problem(401, "Unauthorized")

    def _bad(self, detail: str) -> Answer:
        errors = [{"title": "Bad Request", "code": 8001, "detail": detail}]
        return Answer.of({"meta": {"status": 400, "msg": "Bad Request"}, "response": [], "errors": errors}, 400)

    def _kept(self, call: Call, post: Mapping[str, Any]) -> dict[str, Any]:
        """What the ledger keeps of a post."""
        content = post["content"]
        texts = [str(block["text"]) for block in content if block.get("type") == "text"]
        link: Mapping[str, Any] = next((block for block in content if block.get("type") == "link"), {})
        tags = [f"#{tag.strip()}" for tag in str(post.get("tags", "")).split(",") if tag.strip()]
        files = {name: part for name, part in call.request.files.items() if name != "json"}
        card = {name: str(link[name]) for name in ("title", "description") if name in link}
        return {
            "text": "\n\n".join([*texts, *([" ".join(tags)] if tags else [])]),
            "link": str(link.get("url", "")),
            "content": content,
            "card": card,
            "pictures": [{"cid": self._blobs.put(part), "alt": ""} for part in files.values()],
        }


def _asked(call: Call) -> Mapping[str, Any]:
    """The post, whether it came as JSON or as a part beside files."""
    part = call.request.files.get("json", call.request.body)
    try:
        document = json.loads(part)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _wrong(post: Mapping[str, Any]) -> str:
    """What is wrong with a post, or ""."""
    content = post.get("content")
    if not isinstance(content, list) or not content or not all(isinstance(one, dict) for one in content):
        return "content must be a list of blocks"
    for block in content:
        match block.get("type"):
            case "text" if len(str(block.get("text", ""))) > LONGEST_TEXT or not str(block.get("text", "")).strip():
                return f"a text block holds 1 to {LONGEST_TEXT} characters"
            case "link" if not str(block.get("url", "")).startswith("http"):
                return "a link block needs a url"
            case "text" | "link" | "image":
                continue
            case kind:
                return f"there is no block of type {kind}"
    return ""


def _shown(entry: Entry, call: Call) -> dict[str, Any]:
    number = {"id": int(entry.remote_id), "id_string": entry.remote_id, "post_url": call.address(entry)}
    return number | {
        "timestamp": int(entry.when.timestamp()),
        "content": entry.details["content"],
        "state": "published",
    }


def _said(response: Any, status: int = 200) -> Answer:
    return Answer.of(
        {"meta": {"status": status, "msg": "Created" if status == 201 else "OK"}, "response": response}, status
    )
