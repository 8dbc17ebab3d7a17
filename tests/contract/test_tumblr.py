from __future__ import annotations

from reverberate.errors import RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.networks.tumblr import Tumblr
from reverberate.testing import Asked, HTTPNetworkContract, Reply


def error(status: int, code: int = 0, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b'{"meta": {"status": %d, "msg": "said"}, "errors": [{"title": "T", "code": %d, "detail": "D"}]}'
    return Reply(status=status, body=body % (status, code), headers=named)


class TestTumblr(HTTPNetworkContract):
    network = Tumblr
    settings = {"blog": "alice"}
    errors = (
        (error(401, 1016), Unauthorised),
        (error(403), Unauthorised),
        (error(404), Unauthorised),
        (error(400, 8001), Refused),
        (error(400, 8005), Refused),
        (error(403, 8004), RateLimited),
        (error(403, 8023), RateLimited),
        (error(403, 8010), Transient),
        (error(429, X_Ratelimit_Perday_Remaining="0", X_Ratelimit_Perday_Reset="3600"), RateLimited),
        (error(500, 8006), Transient),
        (error(503), Unsure),
        (Reply(status=201, body=b'{"meta": {"status": 201}, "response": []}'), Unsure),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"].startswith("OAuth ")
        return Reply(status=201, body=b'{"meta": {"status": 201}, "response": {"id": "7"}}')
