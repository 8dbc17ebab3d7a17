"""OAuth 2 as the sandbox's networks speak it: the page at which the owner consents, tokens, refreshing, revoking."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from reverberate.sandbox import consentpage, keys
from reverberate.sandbox.control import foreign
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.personality import Personality, Purpose, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.grants import Given, Grants
    from reverberate.sandbox.personality import Call
    from reverberate.sandbox.vendors import Vendor

CODE_LASTS = timedelta(minutes=10)
LOOPBACK = {"127.0.0.1", "localhost"}
OURS = ("sandbox_account", "sandbox_answer")
"""Fields of the page that are no parameters of OAuth."""
NAME = re.compile(r"[\w.-]{1,60}")
PLACE = re.compile(r"https?://[\w.:-]+(/[!-~]*)?", re.ASCII)
"""Where somebody can be sent: it stands in headers, so that nothing may be in it that means something there."""


class SignIn(Personality):
    """The authorization server of one network.

    Args:
        network: whose.
        vendor: how it is with that one.
        grants: what it gives is written there.
        person: who signs in unless another name is typed.
    """

    name = "sign-in"
    more: ClassVar[tuple[Route, ...]] = ()
    """Routes of a vendor's own."""

    def __init__(self, network: Personality, vendor: Vendor, grants: Grants, *, person: str) -> None:
        super().__init__(network.seed, network.ledger)
        self.network, self.vendor, self.grants, self._person = network.name, vendor, grants, person
        self.routes = (  # type: ignore[misc]  # each has its vendor's addresses
            Route("GET", vendor.authorize, Purpose.PAGE, type(self).ask, open=True),
            Route("POST", vendor.authorize, Purpose.OTHER, type(self).decide, open=True),
            Route("POST", vendor.token, Purpose.SIGN_IN, type(self).token, open=True),
            *((Route("POST", vendor.revoke, Purpose.SIGN_IN, type(self).revoke, open=True),) if vendor.revoke else ()),
            *self.more,
        )

    def account_of(self, request: Request) -> str:
        """See Personality: nobody is known yet."""
        del request
        return ""

    def problem(self, status: int, words: str) -> Answer:
        """See Personality. Source: RFC 6749, section 5.2."""
        return self.no("temporarily_unavailable" if status >= 500 else "invalid_request", words, status=status)

    def no(self, error: str, words: str, *, status: int = 400) -> Answer:
        """An error of the token's address."""
        return Answer.of({"error": error, "error_description": words}, status)

    def ask(self, call: Call) -> Answer:
        """The page at which the owner consents."""
        params = call.request.query
        if trouble := self.unusable(params):
            return consentpage.wrong(self.network, trouble)
        if error := self.refused(params):
            return _back(params, {"error": error[0], "error_description": error[1]})
        return consentpage.consent(
            self.network,
            app=params["client_id"],
            scopes=self.scopes(params),
            back=params["redirect_uri"],
            person=self._person,
            hidden=params,
        )

    def decide(self, call: Call) -> Answer:
        """The owner said yes or no."""
        form = call.request.form
        params = {name: value for name, value in form.items() if name not in OURS}
        if foreign(call.request) or self.unusable(params) or self.refused(params):
            return consentpage.wrong(self.network, "Begin again: this form does not come from the page that asked.")
        if form.get("sandbox_answer") != "allow":
            return _back(params, self.vendor.denied)
        account = form.get("sandbox_account", "")
        if not NAME.fullmatch(account):
            return consentpage.wrong(self.network, "A name has letters, digits, points and hyphens.")
        code = self.grants.give(
            "code",
            self.network,
            lasts=CODE_LASTS,
            account=account,
            client=params["client_id"],
            redirect=params["redirect_uri"],
            challenge=params.get("code_challenge", ""),
            scopes=self.vendor.joiner.join(self.scopes(params)),
            lasting=self._lasting(params),
        )
        return _back(params, {"code": code.token})

    def token(self, call: Call) -> Answer:
        """A token, for a code or for a refresh token."""
        form = call.request.form
        client = self.proven(call.request)
        if not client:
            return self.no("invalid_client", "The app's id or secret is wrong, or not given as asked.", status=401)
        with self.grants.lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._for_code(form, client)
                case "refresh_token" if self.vendor.refresh:
                    return self._for_refresh_token(form, client)
                case other:
                    return self.no("unsupported_grant_type", f"There is no grant_type {other!r} here.")

    def revoke(self, call: Call) -> Answer:
        """A token works no more; with a refresh token, all that came of it. Source: RFC 7009."""
        token = call.request.form.get("token", "")
        if self.network != "google_business" and not self.proven(call.request):
            return self.no("invalid_client", "The app's id or secret is wrong.", status=401)
        with self.grants.lock:
            if found := self.grants.find(token, "refresh", self.network):
                self.grants.end_family(found.family)
            elif self.grants.find(token, "access", self.network):
                self.grants.end(token)
            elif self.network == "google_business":
                return self.no("invalid_token", "Token expired or revoked")
        return Answer.of({})

    def tells(self, given: Given) -> dict[str, Any]:
        """What the answer says beside the token."""
        told: dict[str, Any] = {"token_type": "bearer", "scope": given.scopes}
        return told | {"expires_in": int(given.until - given.made)} if given.until is not None else told

    def _for_code(self, form: Mapping[str, str], client: str) -> Answer:
        if reused := self.grants.used(form.get("code", "")):
            self.grants.end_family(reused.family)
            return self.no("invalid_grant", "The authorization code was used already; what came of it is revoked.")
        code = self.grants.find(form.get("code", ""), "code", self.network)
        if code is None or code.client != client:
            return self.no("invalid_grant", "There is no such authorization code.")
        self.grants.end(code.token)
        if self.grants.late(code):
            return self.no("invalid_grant", "The authorization code has expired.")
        if code.redirect != form.get("redirect_uri"):
            return self.no("invalid_grant", "The redirect_uri is not the one that the code was sent to.")
        if code.challenge and code.challenge != _challenge(form.get("code_verifier", "")):
            return self.no("invalid_grant", "The code_verifier does not fit the code_challenge.")
        return self._given(code)

    def _for_refresh_token(self, form: Mapping[str, str], client: str) -> Answer:
        token = form.get("refresh_token", "")
        if self.vendor.refresh == "once" and (reused := self.grants.used(token)):
            self.grants.end_family(reused.family)
            return self.no("invalid_grant", "The refresh token was used already; what came of it is revoked.")
        found = self.grants.find(token, "refresh", self.network)
        if found is None or found.client != client:
            return self.no("invalid_grant", "The refresh token is not valid.")
        if self.vendor.refresh == "once":
            self.grants.end(token)
        return self._given(found)

    def _given(self, source: Given) -> Answer:
        """New tokens for a code or a refresh token; both are in its family."""
        same: dict[str, Any] = {
            "account": source.account,
            "family": source.family,
            "client": source.client,
            "scopes": source.scopes,
        }
        made = self.grants.give(self.vendor.kind, self.network, lasts=self.vendor.lasts, **same)
        told = {"access_token": made.token} | self.tells(made)
        if source.lasting and (source.kind == "code" or self.vendor.refresh == "once"):
            told["refresh_token"] = self.grants.give("refresh", self.network, lasting=True, **same).token
        return Answer.of(told)

    def unusable(self, params: Mapping[str, str]) -> str:
        """Why nobody can be sent back with an answer; "" if one can."""
        if not self._secret(params.get("client_id", "")):
            return f"There is no app with the client_id {params.get('client_id', '')!r}."
        return _unsafe(params.get("redirect_uri", ""), self.vendor)

    def refused(self, params: Mapping[str, str]) -> tuple[str, str] | None:
        """What is wrong with a request that somebody can be sent back with."""
        if params.get("response_type") != "code":
            return "unsupported_response_type", "response_type must be code"
        if unknown := [one for one in self.scopes(params) if one not in self.vendor.scopes]:
            return "invalid_scope", f"there is no scope {unknown[0]!r} here"
        if self.vendor.pkce and (params.get("code_challenge_method") != "S256" or not params.get("code_challenge")):
            return "invalid_request", "a code_challenge with S256 is needed"
        return None

    def scopes(self, params: Mapping[str, str]) -> list[str]:
        """Those that are asked for."""
        return [one for one in params.get("scope", "").split(self.vendor.joiner) if one]

    def _lasting(self, params: Mapping[str, str]) -> bool:
        """Whether a refresh token is to come."""
        if not self.vendor.refresh or self.vendor.refresh_if is None:
            return bool(self.vendor.refresh)
        name, value = self.vendor.refresh_if
        return value in self.scopes(params) if name == "scope" else params.get(name) == value

    def _secret(self, client_id: str) -> str:
        """The secret of an app; "" if there is no such app."""
        ours = keys.app(self.seed, self.network)
        if client_id and client_id == ours.get("client_id"):
            return ours["client_secret"]
        app = self.grants.find(client_id, "app", self.network)
        return app.secret if app else ""

    def proven(self, request: Request) -> str:
        """The id of the app that asks, if it proves to be that; else ""."""
        given, secret = _by_header(request) if self.vendor.proof != "post" else ("", "")
        if not given and (self.vendor.proof != "basic" or "client_secret" not in request.form):
            given, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        known = self._secret(given)
        if known and not secret and self.vendor.public and not request.headers.get("authorization"):
            return given
        return given if known and keys.same(secret, known) else ""


def _by_header(request: Request) -> tuple[str, str]:
    """Id and secret as RFC 6749, section 2.3.1, has them in the header."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        told = base64.b64decode(given, validate=True).decode()
    except ValueError:
        return "", ""
    client, _, secret = told.partition(":")
    return unquote(client), unquote(secret)


def _unsafe(redirect: str, vendor: Vendor) -> str:
    """What is wrong with where the owner is to be sent back."""
    address = urlsplit(redirect if PLACE.fullmatch(redirect) else "")
    if address.scheme == "https":
        return ""
    here = {"loopback": LOOPBACK, "localhost": {"localhost"}, "none": set()}[vendor.plain]
    if address.scheme == "http" and address.hostname in here:
        return ""
    return f"The redirect_uri {redirect!r} is not allowed: it must begin with https://" + (
        f", or lead to {' or '.join(sorted(here))}." if here else "."
    )


def _challenge(verifier: str) -> str:
    """Source: RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _back(params: Mapping[str, str], told: Mapping[str, str]) -> Answer:
    """Send the owner back, with the state that he came with."""
    state = {"state": params["state"]} if "state" in params else {}
    redirect = params["redirect_uri"]
    joint = "&" if parse_qs(urlsplit(redirect).query) else "?"
    return Answer.elsewhere(f"{redirect}{joint}{urlencode({**told, **state}, quote_via=quote)}")
