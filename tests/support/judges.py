"""Who says whether a request and its answer are right: each network's own specification."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from support.lexicon import Lexicons
from support.meta import Facebook, Instagram, Threads
from support.openapi import Described
from support.specs import folder, spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests


class Judge(Protocol):
    """Says what is wrong; nothing is an empty list. ``base`` is where the client was told that the API is."""

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """The specification's name of what was asked."""

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """What is wrong with what was asked."""

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """What is wrong with what was answered."""


X_RENAMED = {"tweet.fields": "post.fields"}
X_MOVED = {"referenced_tweets"}
"""X's machine-readable description calls them so since version 2.167, and has ``referenced_posts`` as an expansion; its
pages and tweepy say the old names."""


class X(Described):
    """X API v2."""

    def __init__(self) -> None:
        super().__init__(spec("x/openapi.json"), server="https://api.x.com")

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge; with the names that X has changed in its description."""
        renamed = request.copy()
        url = urlsplit(str(renamed.url))
        query = [(X_RENAMED.get(name, name), _without_moved(value)) for name, value in parse_qsl(url.query)]
        renamed.prepare_url(url._replace(query="").geturl(), query)
        return super().request(renamed, base=base)

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge. Of refusals X describes only a few: a duplicate's ``about:blank`` is none of them."""
        return super().answer(answer, base=base) if answer.ok else []


def _without_moved(value: str) -> str:
    return ",".join(one for one in value.split(",") if one not in X_MOVED)


class Mastodon(Described):
    """Mastodon's REST API."""

    def __init__(self) -> None:
        super().__init__(_mastodon_corrected(), server="https://mastodon.example", closed=False)


def _mastodon_corrected() -> dict[str, Any]:
    """The description was drawn from the documentation by a program; some things in it cannot be meant so.

    A header is called an object; a status with words and pictures would be two kinds at once; nothing says that a
    status has no other properties than those named, so that a slip in a name would pass; and a file in a form is called
    a text, which bytes are not.
    """
    description: dict[str, Any] = copy.deepcopy(spec("mastodon/schema.json"))
    create = description["paths"]["/api/v1/statuses"]["post"]
    for parameter in create["parameters"]:
        parameter["schema"]["type"] = "string"
    asked = create["requestBody"]["content"]["application/json"]["schema"]
    asked["anyOf"] = asked.pop("oneOf")
    for kind in asked["anyOf"]:
        description["components"]["schemas"][kind["$ref"].rpartition("/")[2]]["unevaluatedProperties"] = False
    form = description["paths"]["/api/v2/media"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    form["properties"]["file"].pop("type")
    return description


class Bluesky:
    """XRPC by the lexicons."""

    def __init__(self) -> None:
        folder("bluesky", "lexicons")
        self.lexicons = Lexicons(lambda name: spec(f"bluesky/lexicons/{name.replace('.', '/')}.json"))

    def call(self, request: requests.PreparedRequest, *, base: str) -> str:
        """See Judge."""
        return urlsplit(str(request.url).removeprefix(base)).path.removeprefix("/xrpc/")

    def request(self, request: requests.PreparedRequest, *, base: str) -> list[str]:
        """See Judge; a record that is put is checked as the record that it is, under the key that it has."""
        name = self.call(request, base=base)
        query = dict(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))
        kind = str(request.headers.get("Content-Type", ""))
        body = _told(kind, request.body)
        wrong = [] if request.method == self.lexicons.method(name) else [f"{request.method} {name}"]
        wrong += self.lexicons.params(name, query) + self.lexicons.input(name, kind, body)
        return wrong + (self._put(body) if name == "com.atproto.repo.putRecord" and not wrong else [])

    def answer(self, answer: requests.Response, *, base: str) -> list[str]:
        """See Judge; a record that is told is checked too."""
        name, body = self.call(answer.request, base=base), answer.json()
        if not answer.ok:
            return self.lexicons.error(name, body)
        wrong = self.lexicons.output(name, answer.headers["Content-Type"].partition(";")[0], body)
        return wrong + (self.lexicons.record(body["value"]) if name == "com.atproto.repo.getRecord" else [])

    def _put(self, body: Mapping[str, Any]) -> list[str]:
        kind = body["collection"]
        wrong = [] if body["record"].get("$type") == kind else [f"{body['record'].get('$type')} goes not into {kind}"]
        return wrong + self.lexicons.record(body["record"]) + self.lexicons.key(kind, body["rkey"])


def _told(kind: str, body: Any) -> Any:
    """A request's body, read."""
    return json.loads(body) if body and kind == "application/json" else body


JUDGES: Mapping[str, Callable[[], Judge]] = {
    "twitter": X,
    "mastodon": Mastodon,
    "bluesky": Bluesky,
    "facebook": Facebook,
    "instagram": Instagram,
    "threads": Threads,
}
"""By the networks' names."""
