"""Where vendors sign people in by ways of their own: Meta's exchanges and Pages, Mastodon's apps, WordPress.com's blogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverberate.sandbox import keys
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.graph import error
from reverberate.sandbox.personality import Purpose, Route
from reverberate.sandbox.signin import SignIn
from reverberate.sandbox.signin1 import SignIn1
from reverberate.sandbox.vendors import LONG, OLD_ENOUGH, VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.sandbox.grants import Given, Grants
    from reverberate.sandbox.personality import Call, Personality

PREFIXES = {"threads": "th", "instagram": "ig"}
ENDED = "Error validating access token: the session is invalid."


class GraphSignIn(SignIn):
    """What Meta's have in common: the shape of an error, and a longer token for a token."""

    def no(self, error_: str, words: str, *, status: int = 400) -> Answer:
        """See SignIn: Meta has numbers for them."""
        return error(status, 1 if error_ == "invalid_client" else 100, words, kind="OAuthException")

    def ended(self) -> Answer:
        """The token that came is no good."""
        return error(400, 190, ENDED, kind="OAuthException")

    def longer(self, given: Given) -> Answer:
        """A token of sixty days, of the same kind."""
        same: dict[str, Any] = {"account": given.account, "family": given.family, "client": given.client}
        made = self.grants.give(given.kind, self.network, lasts=LONG, **same)
        told = {"access_token": made.token, "token_type": "bearer", "expires_in": int(LONG.total_seconds())}
        return Answer.of(told)


class FacebookSignIn(GraphSignIn):
    """A code becomes a person's token, that a longer one, and that the tokens of the person's Pages."""

    def token(self, call: Call) -> Answer:
        """See SignIn; or a long-lived token for a short-lived one."""
        form = call.request.form
        if form.get("grant_type") != "fb_exchange_token":
            return super().token(call)
        if not self.proven(call.request):
            return self.no("invalid_client", "Error validating client secret.")
        given = self.grants.alive(form.get("fb_exchange_token", ""), "user", self.network)
        return self.longer(given) if given else self.ended()

    def pages(self, call: Call) -> Answer:
        """GET /:version/me/accounts: a Page of the person's own name, and another one."""
        person = self.grants.alive(call.request.bearer, "user", self.network)
        if person is None:
            return self.ended()
        return Answer.of({"data": [self._page(person, name) for name in (person.account, f"{person.account}-club")]})

    def _page(self, person: Given, name: str) -> dict[str, Any]:
        made = self.grants.give("access", self.network, account=name, family=person.family)
        return {"id": keys.number(self.seed, self.network, name), "name": name, "access_token": made.token}

    more = (Route("GET", "/*/me/accounts", Purpose.SIGN_IN, pages, open=True),)


class ContainerSignIn(GraphSignIn):
    """Threads and Instagram: a short-lived token becomes a long-lived one, and that is prolonged."""

    def tells(self, given: Given) -> dict[str, Any]:
        """See SignIn: the first token's end is not told."""
        return {"user_id": int(keys.number(self.seed, self.network, given.account))}

    def exchange(self, call: Call) -> Answer:
        """GET /access_token."""
        if not self._asks(call, "exchange_token"):
            return self.no("unsupported_grant_type", "Invalid parameter: grant_type")
        if not keys.same(
            call.request.query.get("client_secret", ""), keys.app(self.seed, self.network)["client_secret"]
        ):
            return self.no("invalid_client", "Error validating client secret.")
        given = self.grants.alive(call.request.bearer, "access", self.network)
        return self.longer(given) if given else self.ended()

    def prolong(self, call: Call) -> Answer:
        """GET /refresh_access_token: of one that is a day old, and not yet over."""
        if not self._asks(call, "refresh_token"):
            return self.no("unsupported_grant_type", "Invalid parameter: grant_type")
        given = self.grants.alive(call.request.bearer, "access", self.network)
        if given is None:
            return self.ended()
        if call.now.timestamp() - given.made < OLD_ENOUGH.total_seconds():
            return self.no("invalid_request", "The token is not a day old yet; it cannot be refreshed.")
        return self.longer(given)

    def _asks(self, call: Call, what: str) -> bool:
        return call.request.query.get("grant_type") == f"{PREFIXES[self.network]}_{what}"

    more = (
        Route("GET", "/access_token", Purpose.SIGN_IN, exchange, open=True),
        Route("GET", "/refresh_access_token", Purpose.SIGN_IN, prolong, open=True),
    )


class MastodonSignIn(SignIn):
    """Apps are made on the spot, each for its own redirect address."""

    def app(self, call: Call) -> Answer:
        """POST /api/v1/apps."""
        name, redirect = call.said("client_name"), call.said("redirect_uris")
        if not name or not redirect:
            return self.no("invalid_request", "Validation failed: Name can't be blank", status=422)
        made = self.grants.give("app", self.network, redirect=redirect, scopes=call.said("scopes") or "read")
        told = {"id": "1", "name": name, "redirect_uri": redirect, "redirect_uris": [redirect]}
        return Answer.of(told | {"client_id": made.token, "client_secret": made.secret})

    def tells(self, given: Given) -> dict[str, Any]:
        """See SignIn."""
        return super().tells(given) | {"token_type": "Bearer", "created_at": int(given.made)}

    def unusable(self, params: Mapping[str, str]) -> str:
        """See SignIn: the address must be the one that the app was made for."""
        if words := super().unusable(params):
            return words
        app = self.grants.find(params["client_id"], "app", self.network)
        good = app is None or params["redirect_uri"] in app.redirect.split()
        return "" if good else "The requested redirect uri is malformed or doesn't match client redirect URI."

    def refused(self, params: Mapping[str, str]) -> tuple[str, str] | None:
        """See SignIn: no more than the app was made for."""
        app = self.grants.find(params["client_id"], "app", self.network)
        if app and set(self.scopes(params)) - set(app.scopes.split()):
            return "invalid_scope", "The requested scope is invalid, unknown, or malformed."
        return super().refused(params)

    more = (Route("POST", "/api/v1/apps", Purpose.SIGN_IN, app, open=True),)


class WordPressSignIn(SignIn):
    """A token is for one blog."""

    def tells(self, given: Given) -> dict[str, Any]:
        """See SignIn."""
        number = keys.number(self.seed, self.network, given.account)
        return super().tells(given) | {"blog_id": number, "blog_url": f"https://{given.account}.wordpress.com"}


OWN = {
    "facebook": FacebookSignIn,
    "instagram": ContainerSignIn,
    "threads": ContainerSignIn,
    "mastodon": MastodonSignIn,
    "wordpress": WordPressSignIn,
}


def doors(network: Personality, grants: Grants, *, person: str) -> list[Personality]:
    """Where one signs in at a network."""
    found: list[Personality] = []
    if network.name in VENDORS:
        found.append(OWN.get(network.name, SignIn)(network, VENDORS[network.name], grants, person=person))
    if "consumer_key" in keys.APPS.get(network.name, ()):
        found.append(SignIn1(network, grants, person=person))
    return found
