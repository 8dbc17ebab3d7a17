"""OAuth 1.0a, the server's side: signatures, timestamps and nonces are really checked."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from reverberate.sandbox import keys

if TYPE_CHECKING:
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.grants import Grants
    from reverberate.sandbox.personality import Personality

CLOCKS_DIFFER = 300
TOKEN = re.compile(r'oauth_token="([^"]*)"')
NOBODY = "nobody.nobody"


class Signatures(RequestValidator):
    """Answers what oauthlib asks about keys, from the seed."""

    enforce_ssl = False
    client_key_length = request_token_length = access_token_length = nonce_length = (8, 120)
    safe_characters = property(lambda _self: set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"))
    dummy_client = NOBODY
    dummy_access_token = NOBODY
    clock = staticmethod(time.time)
    """By which a signature is fresh: the machine's own, as its clients sign by that."""

    def __init__(self, network: Personality) -> None:
        super().__init__()
        self._network, self.name, self._lock = network, network.name, threading.Lock()
        self._seen: dict[tuple[str, str, str], float] = {}  # in the order in which they came
        self._endpoint = ResourceEndpoint(self)

    @property
    def grants(self) -> Grants:
        """What the network's sign-in gave."""
        return self._network.grants

    def signed_by(self, request: Request) -> str:
        """The account that signed the request; "" if nobody did."""
        headers = {
            "Authorization": request.headers.get("authorization", ""),
            "Content-Type": request.headers.get("content-type", ""),
        }
        body = request.body.decode(errors="replace")
        try:
            valid, signed = self._endpoint.validate_protected_resource_request(
                request.base + request.target, request.method, body, headers
            )
        except ValueError:  # the header cannot be read
            return ""
        return self.account(signed.resource_owner_key) if valid else ""

    def claimed_by(self, request: Request) -> str:
        """The account whose token stands in the request, signed or not; "" if it is nobody's."""
        return self.account(self.token_of(request))

    def token_of(self, request: Request) -> str:
        """The token that stands in the request, or ""."""
        match = TOKEN.search(request.headers.get("authorization", ""))
        return match[1] if match else ""

    def account(self, token: str) -> str:
        """The account whose access token this is; "" if it is nobody's."""
        if given := self.grants.alive(token, "signed", self.name):
            return given.account
        user, _, rest = token.partition("-")
        account = keys.owner(self._network.seed, self.name, rest)
        return account if account and user == keys.number(self._network.seed, self.name, account) else ""

    def validate_timestamp_and_nonce(  # noqa: PLR0917 - the base's signature
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        """See the base: each nonce once, and only while its time is near."""
        del client_key, request, request_token
        now = self.clock()
        if abs(now - int(timestamp)) > CLOCKS_DIFFER:
            return False
        with self._lock:
            self._forget(now - 2 * CLOCKS_DIFFER)
            known = len(self._seen)
            self._seen.setdefault((access_token or "", timestamp, nonce), now)
            return len(self._seen) > known

    def _forget(self, before: float) -> None:
        while self._seen and self._seen[oldest := next(iter(self._seen))] < before:
            del self._seen[oldest]

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        """See the base."""
        del request
        return keys.same(client_key, keys.app(self._network.seed, self.name)["consumer_key"])

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        """See the base."""
        del client_key, request
        return bool(self.account(token))

    def validate_realms(self, client_key: str, token: str, request: Any, uri: Any = None, realms: Any = None) -> bool:
        """See the base: there are none."""
        del client_key, token, request, uri, realms
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        """See the base."""
        del client_key, request
        return keys.app(self._network.seed, self.name)["consumer_secret"]

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        """See the base."""
        del client_key, request
        if given := self.grants.alive(token, "signed", self.name):
            return given.secret
        return keys.credentials(self._network.seed, self.name, self.account(token))["access_token_secret"]
