from __future__ import annotations

from reverberate.errors import Duplicate, RateLimited, Refused, Unauthorised
from reverberate.networks.linkedin import LinkedIn
from reverberate.testing import Asked, HTTPNetworkContract, Reply

TWICE = b'{"message": "Content is a duplicate of urn:li:share:7141138937766391808", "status": 422}'
TOO_LONG = b'{"message": "FIELD_ARRAY_SIZE_TOO_HIGH", "status": 400}'


class TestLinkedIn(HTTPNetworkContract):
    network = LinkedIn
    settings = {"author": "urn:li:person:abc"}
    errors = (
        (Reply(status=401, body=b'{"message": "expired", "serviceErrorCode": 65601}'), Unauthorised),
        (Reply(status=403, body=b'{"message": "Not enough permissions"}'), Unauthorised),
        (Reply(status=422, body=TWICE), Duplicate),
        (Reply(status=426, body=b'{"message": "Requested version 202501 is not active"}'), Unauthorised),
        (Reply(status=429, body=b'{"message": "Resource level throttle limit reached"}'), RateLimited),
        (Reply(status=400, body=TOO_LONG), Refused),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["linkedin-version"] == "202607"
        return Reply(status=201, headers={"x-restli-id": "urn:li:share:1"}, body=b"")
