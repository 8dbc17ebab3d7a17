from __future__ import annotations

from reverberate.errors import RateLimited, Refused, Unauthorised, Unsure
from reverberate.networks.google_business import GoogleBusiness
from reverberate.testing import Asked, HTTPNetworkContract, Reply

NAME = "accounts/1/locations/2/localPosts/3"


def error(status: int, name: str) -> Reply:
    return Reply(
        status=status, body=b'{"error": {"code": %d, "message": "said", "status": "%s"}}' % (status, name.encode())
    )


class TestGoogleBusiness(HTTPNetworkContract):
    network = GoogleBusiness
    settings = {"account": "1", "location": "2"}
    errors = (
        (error(401, "UNAUTHENTICATED"), Unauthorised),
        (error(403, "PERMISSION_DENIED"), Unauthorised),
        (error(429, "RESOURCE_EXHAUSTED"), RateLimited),
        (error(400, "INVALID_ARGUMENT"), Refused),
        (error(503, "UNAVAILABLE"), Unsure),
        (Reply(body=b'{"name": "%s", "state": "REJECTED"}' % NAME.encode()), Refused),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"].startswith("Bearer ")
        return Reply(
            body=b'{"name": "%s", "state": "LIVE", "searchUrl": "https://local.google.example/3"}' % NAME.encode()
        )
