from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reverberate.errors import Duplicate, RateLimited, Refused, Transient, Unauthorised
from reverberate.model import Picture
from reverberate.networks.bluesky import Bluesky
from reverberate.testing import LINK, Asked, HTTPNetworkContract, Reply, a_delivery
from reverberate.text.count import count

SESSION = b'{"did": "did:plc:a", "handle": "alice.test", "accessJwt": "a", "refreshJwt": "r"}'

PICTURE = Picture(digest="1" * 64, mime="image/png", width=640, height=480, size=4, alt="A hill")


def error(name: str, status: int = 400, **headers: str) -> Reply:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Reply(status=status, body=b'{"error": "%s", "message": "said"}' % name.encode(), headers=named)


class TestBluesky(HTTPNetworkContract):
    network = Bluesky
    settings = {"handle": "alice.test"}
    errors = (
        (error("InvalidSwap"), Duplicate),
        (error("InvalidRequest"), Refused),
        (error("AccountTakedown", 401), Unauthorised),
        (error("AuthenticationRequired", 401), Unauthorised),
        (error("UpstreamFailure", 502), Transient),
        (error("RateLimitExceeded", 429, RateLimit_Reset="1795600000"), RateLimited),
    )

    def accept(self, asked: Asked) -> Reply:
        if "Session" in asked.target:
            return Reply(body=SESSION)
        return Reply(body=b'{"uri": "at://did:plc:a/app.bsky.feed.post/3k2akjdlkjf22", "cid": "bafy"}')

    def record(self, monkeypatch: pytest.MonkeyPatch, **message: Any) -> dict[str, Any]:
        """The record that a message becomes."""

        def accept(asked: Asked) -> Reply:
            if "uploadBlob" in asked.target:
                return Reply(body=b'{"blob": {"$type": "blob"}}')
            return TestBluesky.accept(self, asked)

        monkeypatch.setattr(self, "accept", accept)
        plain = a_delivery()
        what = replace(plain, message=replace(plain.message, **message), load=lambda _digest: b"\x89PNG")
        with self.server() as server:
            self.make(server.url, monkeypatch).send(what)
        return dict(json.loads(server.asked[-1].body)["record"])

    @pytest.mark.parametrize("text", ["A hill", "w" * 300])
    def test_attached_pictures_leave_the_link_to_the_text(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        record = self.record(monkeypatch, parts=(text,), pictures=(PICTURE,))

        place = record["facets"][0]["index"]
        assert record["embed"]["$type"] == "app.bsky.embed.images"
        assert record["text"].encode()[place["byteStart"] : place["byteEnd"]].decode() == LINK
        assert record["facets"][0]["features"] == [{"$type": "app.bsky.richtext.facet#link", "uri": LINK}]
        assert count(record["text"], Bluesky.limit) <= Bluesky.limit.maximum

    def test_a_text_that_holds_the_link_gets_no_second_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record = self.record(monkeypatch, parts=(f"A hill {LINK}",), pictures=(PICTURE,))

        assert record["text"] == f"A hill {LINK}"

    def test_a_card_leaves_the_text_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record = self.record(monkeypatch, parts=("A hill",))

        assert (record["text"], record["embed"]["external"]["uri"]) == ("A hill", LINK)
        assert "facets" not in record
