from __future__ import annotations

from reverberate.errors import RateLimited, Refused, Transient, Unauthorised
from reverberate.networks.mastodon import Mastodon
from reverberate.testing import Asked, HTTPNetworkContract, Reply


class TestMastodon(HTTPNetworkContract):
    network = Mastodon
    settings = {"instance": "https://mastodon.example"}
    errors = (
        (Reply(status=401, body=b'{"error": "The access token is invalid"}'), Unauthorised),
        (Reply(status=422, body=b'{"error": "Validation failed: Text character limit of 500 exceeded"}'), Refused),
        (Reply(status=422, body=b'{"error": "Cannot attach files that have not finished processing"}'), Transient),
        (Reply(status=429, headers={"X-RateLimit-Reset": "2026-11-24T12:00:00.000000Z"}), RateLimited),
        (Reply(status=503, headers={"Retry-After": "30"}), RateLimited),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.method == "GET" or asked.headers["idempotency-key"]
        return Reply(body=b'{"id": "1", "url": "https://mastodon.example/@alice/1"}')
