from __future__ import annotations

from reverberate.errors import RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.networks.threads import Threads
from reverberate.testing import Asked, HTTPNetworkContract, Reply


def error(code: int, subcode: int = 0, status: int = 400) -> Reply:
    body = b'{"error": {"message": "said", "code": %d, "error_subcode": %d}}' % (code, subcode)
    return Reply(status=status, body=body)


class TestThreads(HTTPNetworkContract):
    network = Threads
    publishing = "/threads_publish"
    errors = (
        (error(190), Unauthorised),
        (error(10, 4279013), Unauthorised),
        (error(24, 4279009), Unsure),
        (error(4, 2207051), Unsure),
        (error(9, 2207042), RateLimited),
        (error(4), RateLimited),
        (error(9007, 2207027), Transient),
        (error(2, status=500), Unsure),
        (error(100), Refused),
    )

    def accept(self, asked: Asked) -> Reply:
        assert b"access_token" not in asked.target.encode() + asked.body, "the token goes in a header"
        return Reply(body=b'{"id": "1", "status": "FINISHED", "permalink": "https://www.threads.net/@a/post/1"}')
