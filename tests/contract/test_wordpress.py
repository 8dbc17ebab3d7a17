from __future__ import annotations

from reverberate.errors import RateLimited, Refused, Unauthorised
from reverberate.networks.wordpress import WordPress
from reverberate.testing import Asked, HTTPNetworkContract, Reply


def error(code: str, status: int) -> Reply:
    return Reply(status=status, body=b'{"code": "%s", "message": "said", "data": {}}' % code.encode())


class TestWordPress(HTTPNetworkContract):
    network = WordPress
    settings = {"site": "https://blog.example", "user": "alice", "access_token": None, "client_secret": None}
    errors = (
        (error("rest_invalid_param", 400), Refused),
        (error("incorrect_password", 401), Unauthorised),
        (error("rest_cannot_create", 403), Unauthorised),
        (Reply(status=403, body=b"<html>Blocked by a plug-in</html>"), Unauthorised),
        (error("rest_no_route", 404), Unauthorised),
        (error("rest_post_invalid_id", 404), Refused),
        (Reply(status=429, headers={"Retry-After": "30"}), RateLimited),
    )

    def accept(self, asked: Asked) -> Reply:
        assert asked.headers["authorization"].split()[0] in {"Basic", "Bearer"}
        return Reply(status=201, body=b'{"id": 7, "link": "https://blog.example/2026/a-post/"}')


class TestWordPressCom(TestWordPress):
    settings = {"site": "alice.wordpress.com", "app_password": None, "client_secret": None}
