"""Facebook Pages as their clients see them: the Graph API's Page feed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.ledger import Entry
from reverberate.sandbox.server import Answer

if TYPE_CHECKING:
    from reverberate.sandbox.ledger import Ledger
    from reverberate.sandbox.server import Request

NAME = "facebook"


class Facebook:
    """All Pages of a seed."""

    def __init__(self, seed: str, ledger: Ledger) -> None:
        self._seed, self._ledger = seed, ledger

    def answer(self, request: Request, path: str) -> Answer:
        """``path`` is what follows the network's own prefix."""
        account = keys.owner(self._seed, NAME, request.bearer or request.form.get("access_token", ""))
        if not account:
            return _error(400, 190, "Error validating access token: the session is invalid.", "OAuthException")
        parts = path.strip("/").split("/")
        if not re.fullmatch(r"v\d+\.\d+", parts[0]):
            return _error(400, 2500, "Unknown path components", "OAuthException")
        page = keys.number(self._seed, NAME, account)
        match request.method, parts[1:]:
            case "POST", [at, "feed"] if at in {page, "me"}:
                return self._create(request, account, page)
            case "GET", [at, "published_posts" | "feed"] if at in {page, "me"}:
                return self._list(request, account)
            case "GET", [at] if at in {page, "me"}:
                return Answer.of({"id": page, "name": account})
            case "DELETE", [_]:
                return Answer.of({"success": True})
            case _:
                return _error(400, 100, "Unsupported request. Object does not exist or is not yours.")

    def _create(self, request: Request, account: str, page: str) -> Answer:
        message, link = request.form.get("message", ""), request.form.get("link", "")
        if not message and not link:
            return _error(400, 100, "Invalid parameter: message or link is needed")
        if len(message) > 63_206:
            return _error(400, 100, "Invalid parameter: the message is too long")
        with self._ledger.lock:
            mine = self._ledger.of(NAME, account)
            if mine and (mine[0].text, mine[0].link) == (message, link):
                return _error(400, 506, "Duplicate status message: it cannot be published twice in a row")
            post = f"{page}_{10**12 + len(self._ledger.of(NAME))}"
            permalink = f"{request.base}/web/facebook/{account}/posts/{post}"
            self._ledger.add(
                Entry(network=NAME, account=account, remote_id=post, permalink=permalink, text=message, link=link)
            )
        asked = request.form.get("fields", request.query.get("fields", "id")).split(",")
        return Answer.of(
            {key: value for key, value in {"id": post, "permalink_url": permalink}.items() if key in asked}
        )

    def _list(self, request: Request, account: str) -> Answer:
        found = self._ledger.of(NAME, account)[: int(request.query.get("limit", "25"))]
        return Answer.of({"data": [_shown(entry) for entry in found]})


def _shown(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": entry.remote_id, "permalink_url": entry.permalink}
    shown |= {"created_time": entry.at.split(".")[0] + "+0000", "message": entry.text}
    if entry.link:
        shown["attachments"] = {"data": [{"unshimmed_url": entry.link}]}
    return shown


def _error(status: int, code: int, message: str, kind: str = "GraphMethodException") -> Answer:
    return Answer.of({"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "sandbox"}}, status)
