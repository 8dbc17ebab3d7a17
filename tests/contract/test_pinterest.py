from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import RateLimited, Refused, Unauthorised, Unsure
from reverberate.model import Picture
from reverberate.networks.pinterest import Pinterest
from reverberate.testing import Asked, HTTPNetworkContract, Reply, a_delivery

if TYPE_CHECKING:
    from reverberate.model import Delivery

PICTURE = Picture(digest="1" * 64, mime="image/png", width=640, height=480, size=4, alt="A hill")


def error(status: int, code: int) -> Reply:
    return Reply(status=status, body=b'{"code": %d, "message": "said"}' % code)


class TestPinterest(HTTPNetworkContract):
    network = Pinterest
    settings = {"board_id": "12"}
    errors = (
        (error(401, 2), Unauthorised),
        (error(403, 29), Unauthorised),
        (error(404, 40), Unauthorised),
        (error(400, 1), Refused),
        (error(429, 8), RateLimited),
        (error(403, 9), RateLimited),
        (error(500, 11), Unsure),
        (Reply(status=201, body=b"{}"), Unsure),
    )

    def delivery(self) -> Delivery:
        plain = a_delivery()
        message = replace(plain.message, pictures=(PICTURE,))
        return replace(plain, message=message, load=lambda _digest: b"\x89PNG")

    def accept(self, asked: Asked) -> Reply:
        assert b'"image_base64"' in asked.body
        return Reply(status=201, body=b'{"id": "7"}')

    def test_a_pin_without_a_picture_is_refused_with_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with self.server() as server, pytest.raises(Refused, match="needs a picture"):
            self.make(server.url, monkeypatch).send(a_delivery())

        assert server.asked == []
