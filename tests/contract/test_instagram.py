from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import Duplicate, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Picture
from reverberate.networks.instagram import Instagram
from reverberate.testing import Asked, HTTPNetworkContract, Reply, a_delivery

if TYPE_CHECKING:
    from reverberate.model import Delivery

PICTURE = Picture(digest="a" * 64, mime="image/jpeg", width=640, height=480, size=9, alt="A hill")


def error(code: int, subcode: int = 0, status: int = 400) -> Reply:
    body = b'{"error": {"message": "said", "code": %d, "error_subcode": %d}}' % (code, subcode)
    return Reply(status=status, body=body)


class TestInstagram(HTTPNetworkContract):
    network = Instagram
    settings = {"user_id": "17841400000000000"}
    publishing = "/media_publish"
    errors = (
        (error(190), Unauthorised),
        (error(200, status=403), Unauthorised),
        (error(24, 2207008), Unsure),
        (error(-2, 2207020), Unsure),
        (error(-1, 2207001), Unsure),
        (error(4, 2207051), Unsure),
        (error(9, 2207042), RateLimited),
        (error(80002), RateLimited),
        (error(9007, 2207027), Transient),
        (error(36003, 2207009), Refused),
        (error(506), Duplicate),
    )

    def delivery(self) -> Delivery:
        plain = a_delivery()
        pictured = replace(plain.message, pictures=(PICTURE,))
        return replace(plain, message=pictured, address=lambda digest: f"https://share.blog.example/pictures/{digest}")

    def accept(self, asked: Asked) -> Reply:
        assert b"access_token" not in asked.target.encode() + asked.body, "the token goes in a header"
        return Reply(body=b'{"id": "1", "status_code": "FINISHED", "permalink": "https://www.instagram.com/p/1/"}')

    @pytest.mark.parametrize(("lacks", "words"), [("pictures", "without a picture"), ("address", "set public_url")])
    def test_what_it_lacks_is_said(self, lacks: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = self.delivery()
        without = (
            replace(whole, message=replace(whole.message, pictures=()))
            if lacks == "pictures"
            else replace(whole, address=lambda _digest: "")
        )
        with self.server() as server, pytest.raises(Refused, match=words):
            self.make(server.url, monkeypatch).send(without)

        assert server.asked == []
