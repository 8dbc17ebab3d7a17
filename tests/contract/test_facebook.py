from __future__ import annotations

from reverberate.errors import Duplicate, RateLimited, Refused, Unauthorised, Unsure
from reverberate.networks.facebook import Facebook
from reverberate.testing import Asked, HTTPNetworkContract, Reply


def error(code: int, status: int = 400, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=b'{"error": {"message": "said", "code": %d}}' % code, headers=named)


class TestFacebook(HTTPNetworkContract):
    network = Facebook
    settings = {"page_id": "123"}
    errors = (
        (error(190), Unauthorised),
        (error(102), Unauthorised),
        (error(200, 403), Unauthorised),
        (error(10, 403), Unauthorised),
        (error(506), Duplicate),
        (error(4, 403), RateLimited),
        (error(80001, X_Business_Use_Case_Usage='{"1": [{"estimated_time_to_regain_access": 9}]}'), RateLimited),
        (error(368), RateLimited),
        (error(1, 500), Unsure),
        (error(2, 400), Unsure),
        (error(100), Refused),
        (error(1609005), Refused),
    )

    def accept(self, asked: Asked) -> Reply:
        assert b"access_token" not in asked.target.encode() + asked.body, "the token goes in a header"
        return Reply(body=b'{"id": "123_1", "permalink_url": "https://www.facebook.com/123/posts/1"}')
