"""OAuth 1.0a in three legs, the server's side, as X and Tumblr have it. Source: RFC 5849; the signatures are oauthlib's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from oauthlib.oauth1 import AccessTokenEndpoint, RequestTokenEndpoint

from reverberate.sandbox import consentpage, keys
from reverberate.sandbox.control import foreign
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route
from reverberate.sandbox.signatures import CLOCKS_DIFFER, NOBODY, Signatures
from reverberate.sandbox.signin import NAME, PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.grants import Given, Grants
    from reverberate.sandbox.personality import Call

REQUEST_LASTS = timedelta(minutes=10)
REVOKE = {"twitter": "/1.1/oauth/invalidate_token"}
"""Where a token is revoked; Tumblr has no such place."""
STAMP = re.compile(r'oauth_timestamp="(\d{1,15})"')
FORM = "application/x-www-form-urlencoded"


class Legs(Signatures):
    """Answers what oauthlib asks about the three legs."""

    dummy_request_token = NOBODY

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Any) -> bool:
        """See the base."""
        del client_key, request
        return PLACE.fullmatch(redirect_uri) is not None

    def get_default_realms(self, client_key: str, request: Any) -> list[str]:
        """See the base: there are none."""
        del client_key, request
        return []

    def validate_requested_realms(self, client_key: str, realms: Any, request: Any) -> bool:
        """See the base."""
        del client_key, realms, request
        return True

    def get_realms(self, token: str, request: Any) -> list[str]:
        """See the base."""
        del token, request
        return []

    def save_request_token(self, token: Any, request: Any) -> None:
        """See the base."""
        both: dict[str, Any] = {"token": token["oauth_token"], "secret": token["oauth_token_secret"]}
        self.grants.give("request", self.name, lasts=REQUEST_LASTS, redirect=str(request.redirect_uri), **both)

    def save_access_token(self, token: Any, request: Any) -> None:
        """See the base: for the account whose owner agreed."""
        agreed = self.grants.alive(str(request.verifier), "verifier", self.name)
        both: dict[str, Any] = {"token": token["oauth_token"], "secret": token["oauth_token_secret"]}
        self.grants.give("signed", self.name, account=agreed.account if agreed else "", **both)

    def validate_request_token(self, client_key: str, token: str, request: Any) -> bool:
        """See the base."""
        del client_key, request
        return self.grants.alive(token, "request", self.name) is not None

    def get_request_token_secret(self, client_key: str, token: str, request: Any) -> str:
        """See the base."""
        del client_key, request
        found = self.grants.alive(token, "request", self.name)
        return found.secret if found else NOBODY

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Any) -> bool:
        """See the base."""
        del client_key, request
        agreed = self.grants.alive(verifier, "verifier", self.name)
        return agreed is not None and agreed.client == token

    def invalidate_request_token(self, client_key: str, request_token: str, request: Any) -> None:
        """See the base: it works once."""
        del client_key, request
        self.grants.end(request_token)


class SignIn1(Personality):
    """Where one signs in at one network.

    Args:
        network: which.
        grants: what it gives is written there.
        person: who signs in unless another name is typed.
    """

    name = "sign-in"

    def __init__(self, network: Personality, grants: Grants, *, person: str) -> None:
        super().__init__(network.seed, network.ledger)
        self.network, self.grants, self._person, self._legs = network.name, grants, person, Legs(network)
        revoke = REVOKE.get(network.name)
        self.routes = (  # type: ignore[misc]  # not every network has all
            Route("POST", "/oauth/request_token", Purpose.SIGN_IN, SignIn1.begin, open=True),
            Route("GET", "/oauth/authorize", Purpose.PAGE, SignIn1.ask, open=True),
            Route("POST", "/oauth/authorize", Purpose.OTHER, SignIn1.decide, open=True),
            Route("POST", "/oauth/access_token", Purpose.SIGN_IN, SignIn1.finish, open=True),
            *((Route("POST", revoke, Purpose.SIGN_IN, SignIn1.revoke, open=True),) if revoke else ()),
        )

    def account_of(self, request: Request) -> str:
        """See Personality: nobody is known yet."""
        del request
        return ""

    def problem(self, status: int, words: str) -> Answer:
        """See Personality."""
        return Answer.of({"errors": [{"code": 131 if status >= 500 else 32, "message": words}]}, status)

    def begin(self, call: Call) -> Answer:
        """The first leg: a request token."""
        told = RequestTokenEndpoint(self._legs).create_request_token_response(*_asked(call.request))
        return self._told(call, told)

    def ask(self, call: Call) -> Answer:
        """The page at which the owner agrees."""
        token = call.request.query.get("oauth_token", "")
        found = self.grants.alive(token, "request", self.network)
        if found is None:
            return consentpage.wrong(self.network, "The request token for this page is not valid, or no longer.")
        hidden, app = {"oauth_token": token}, keys.app(self.seed, self.network)["consumer_key"]
        person, back = self._person, found.redirect
        return consentpage.consent(self.network, app=app, scopes=(), back=back, person=person, hidden=hidden)

    def decide(self, call: Call) -> Answer:
        """The owner said yes or no."""
        form = call.request.form
        found = self.grants.alive(form.get("oauth_token", ""), "request", self.network)
        if foreign(call.request) or found is None:
            return consentpage.wrong(self.network, "Begin again: this form does not come from the page that asked.")
        if form.get("sandbox_answer") != "allow":
            self.grants.end(found.token)
            return _back(found, {"denied": found.token})
        account = form.get("sandbox_account", "")
        if not NAME.fullmatch(account):
            return consentpage.wrong(self.network, "A name has letters, digits, points and hyphens.")
        agreed = self.grants.give("verifier", self.network, lasts=REQUEST_LASTS, account=account, client=found.token)
        return _back(found, {"oauth_token": found.token, "oauth_verifier": agreed.token})

    def finish(self, call: Call) -> Answer:
        """The last leg: the token itself."""
        verifier = re.search(r'oauth_verifier="([^"]*)"', call.request.headers.get("authorization", ""))
        agreed = self.grants.alive(verifier[1] if verifier else "", "verifier", self.network)
        who = agreed.account if agreed else ""
        known = {"user_id": keys.number(self.seed, self.network, who), "screen_name": who} if who else {}
        told = AccessTokenEndpoint(self._legs).create_access_token_response(*_asked(call.request), credentials=known)
        return self._told(call, told)

    def revoke(self, call: Call) -> Answer:
        """A signed request ends the token that signed it."""
        if not self._legs.signed_by(call.request):
            return self.problem(401, "Invalid or expired token.")
        token = self._legs.token_of(call.request)
        self.grants.end(token)
        return Answer.of({"access_token": token})

    def _told(self, call: Call, told: tuple[Mapping[str, str], str | None, int]) -> Answer:
        """Oauthlib's answer, or the network's own words for no."""
        _, body, status = told
        if status == 200 and body:
            return Answer(body=body.encode(), kind=FORM)
        if status != 401:
            return self.problem(status, parse_qs(body or "").get("error_description", ["Bad request"])[0])
        stamp = STAMP.search(call.request.headers.get("authorization", ""))
        if stamp and abs(self._legs.clock() - int(stamp[1])) > CLOCKS_DIFFER:
            return Answer.of({"errors": [{"code": 135, "message": "Timestamp out of bounds."}]}, 401)
        return self.problem(401, "Could not authenticate you.")


def _asked(request: Request) -> tuple[str, str, str, dict[str, str]]:
    """A request as oauthlib takes it."""
    headers = {"Authorization": request.headers.get("authorization", "")}
    headers |= {"Content-Type": request.headers["content-type"]} if "content-type" in request.headers else {}
    return request.base + request.target, request.method, request.body.decode(errors="replace"), headers


def _back(found: Given, told: Mapping[str, str]) -> Answer:
    joint = "&" if urlsplit(found.redirect).query else "?"
    return Answer.elsewhere(f"{found.redirect}{joint}{urlencode(told)}")
