"""A vendor's authorization server with refresh tokens that work once, and a network whose accounts are connected there."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

from reverberate.errors import Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import Network, NetworkSettings
from reverberate.networks.flows import OAuth2Flow
from reverberate.secrets import Secret
from reverberate.testing import Asked, Reply, ScriptedServer
from reverberate.text.limits import Limit, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverberate.model import Delivery


@dataclass
class Provider:
    """RFC 6749 and RFC 7636 as strictly as X: a code and a refresh token work once, using one again ends the family."""

    lasts: float = 3600.0
    slow: float = 0.0
    refreshes: int = 0
    reused: int = 0
    revoked: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    """What the next requests for a token get, after they were taken; a lost answer is a reply that is cut."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access: dict[str, float] = field(default_factory=dict)
    refresh: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def __enter__(self) -> Self:
        self._server = ScriptedServer(self._answer)
        self.url = self._server.__enter__().url
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def consent(self, address: str) -> str:
        """What the owner's browser does: open the address, agree, and be sent back to the address that is returned."""
        params = dict(parse_qsl(urlsplit(address).query))
        assert params["response_type"] == "code"
        assert params["code_challenge_method"] == "S256"
        code = f"code-{next(self._count)}"
        self.codes[code] = params
        return f"{params['redirect_uri']}?code={code}&state={params['state']}"

    def good(self, token: str) -> bool:
        """Whether an access token works now."""
        return self.access.get(token, 0) > time.time()

    def _answer(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.target == "/revoke":
            self.revoked.append(form["token"])
            return Reply()
        if asked.target == "/post":
            good = self.good(asked.headers.get("authorization", "").removeprefix("Bearer "))
            return Reply() if good else Reply(status=401, body=b'{"error": "the token has ended"}')
        time.sleep(self.slow)
        with self._lock:
            answer = self._token(asked, form)
            return self.replies.pop(0) if self.replies else answer

    def _token(self, asked: Asked, form: dict[str, str]) -> Reply:
        basic = base64.b64encode(b"app:app-secret").decode()
        if asked.headers.get("authorization") != f"Basic {basic}":
            return _no("invalid_client", status=401)
        if form["grant_type"] == "refresh_token":
            self.refreshes += 1
            return self._refreshed(form["refresh_token"])
        begun = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not begun or begun["redirect_uri"] != form["redirect_uri"]:
            return _no("invalid_grant")
        if challenge.decode().rstrip("=") != begun["code_challenge"]:
            return _no("invalid_grant")
        return self._pair()

    def _refreshed(self, token: str) -> Reply:
        if token in self.used:
            self.reused += 1
            self.refresh.clear()
            self.access.clear()
        if token not in self.refresh:
            return _no("invalid_grant")
        self.refresh.discard(token)
        self.used.add(token)
        return self._pair()

    def _pair(self) -> Reply:
        number = next(self._count)
        self.access = {f"access-{number}": time.time() + self.lasts}
        self.refresh.add(f"refresh-{number}")
        pair = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": self.lasts}
        return Reply(body=json.dumps(pair | {"token_type": "bearer"}).encode())


def _no(error: str, *, status: int = 400) -> Reply:
    return Reply(status=status, body=json.dumps({"error": error}).encode())


class ClubSettings(NetworkSettings):
    """What an account at the provider says."""

    base: str
    client_id: str = "app"
    client_secret: Secret
    access_token: Secret


class Club(Network):
    """Posts with a bearer token that the provider gave."""

    name, title, assurance = "club", "Club", Assurance.READABLE
    limit, Settings, settle = Limit(unit=Unit.CHARACTERS, maximum=500), ClubSettings, timedelta(0)
    settings: ClubSettings
    kind: ClassVar[dict[str, Any]] = {}

    @classmethod
    def flow(cls, settings: ClubSettings) -> OAuth2Flow:
        """See Connects."""
        return OAuth2Flow(
            authorize_url=f"{settings.base}/authorize",
            token_url=f"{settings.base}/token",
            revoke_url=f"{settings.base}/revoke",
            scopes=("post", "read"),
            client="basic",
            **cls.kind,
        )

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        self.call("POST", f"{self.settings.base}/post", data=delivery.key, headers=bearer)
        return Receipt(remote_id=delivery.key)

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds."""
        del delivery

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        """See Deletes."""
        del delivery
        bearer = {"Authorization": f"Bearer {self.settings.access_token.reveal()}"}
        self.call("POST", f"{self.settings.base}/post", data=receipt.remote_id, headers=bearer)

    def verify(self) -> Standing:
        """See Verifies."""
        if not self.settings.access_token.reveal():
            raise Unauthorised("no token")
        return Standing(who="@owner")
