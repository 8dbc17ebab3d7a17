from __future__ import annotations

from reverberate.errors import Duplicate, RateLimited, Refused, Transient, Unauthorised
from reverberate.networks.bluesky import Bluesky
from reverberate.testing import Asked, HTTPNetworkContract, Reply

SESSION = b'{"did": "did:plc:a", "handle": "alice.test", "accessJwt": "a", "refreshJwt": "r"}'


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
