from __future__ import annotations

from reverberate.errors import Duplicate, OutOfCredit, RateLimited, Refused, Unauthorised
from reverberate.networks.twitter import Twitter
from reverberate.testing import Asked, HTTPNetworkContract, Reply

PROBLEM = b'{"title": "T", "detail": "D", "type": "https://api.twitter.com/2/problems/%s", "status": 403}'
TWICE = b'{"detail": "You are not allowed to create a Tweet with duplicate content.", "type": "about:blank"}'


class TestTwitter(HTTPNetworkContract):
    network = Twitter
    errors = (
        (Reply(status=401, body=b'{"title": "Unauthorized", "type": "about:blank"}'), Unauthorised),
        (Reply(status=402, body=b'{"title": "CreditsDepleted", "detail": "no credits"}'), OutOfCredit),
        (Reply(status=403, body=TWICE), Duplicate),
        (Reply(status=403, body=PROBLEM % b"usage-capped"), OutOfCredit),
        (Reply(status=403, body=PROBLEM % b"unsupported-authentication"), Unauthorised),
        (Reply(status=403, body=b'{"detail": "You are not permitted to perform this action."}'), Refused),
        (Reply(status=429, headers={"x-rate-limit-reset": "1795600000"}), RateLimited),
        (Reply(status=429, headers={"x-rate-limit-reset": "soon"}), RateLimited),
        (Reply(status=400, body=PROBLEM % b"invalid-request"), Refused),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"].startswith("OAuth ")
        return Reply(status=201, body=b'{"data": {"id": "1", "text": "t"}}')


class TestTwitterByOAuth2(TestTwitter):
    """The same, with the token of OAuth 2 instead of a signature."""

    settings = {"client_id": "app", "consumer_key": None, "consumer_secret": None, "access_token_secret": None}

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"].startswith("Bearer ")
        return Reply(status=201, body=b'{"data": {"id": "1", "text": "t"}}')
