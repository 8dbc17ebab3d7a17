"""How an account's owner signs in at a vendor, as data: what ``reverberate connect`` and the dashboard act on.

A plug-in declares its flow with ``flow(settings)`` (see ``base.Connects``): addresses, names of settings and, where the
vendor has a step of its own, a small function. Everything else (state, PKCE, the exchange, the vault, refreshing ahead
of time) is done once, for all. Sources: RFC 5849, RFC 6749, RFC 7009, RFC 7636, RFC 8252.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from reverberate.errors import Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.http import Session
from reverberate.networks.likeness import CLOCKS_DIFFER
from reverberate.policy import skew, wait_until

if TYPE_CHECKING:
    import requests

ACCESS_TOKEN: Mapping[str, str] = {"access_token": "access_token"}
TOKEN_AND_SECRET: Mapping[str, str] = {
    "oauth_token": "access_token",
    "oauth_token_secret": "access_token_secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a sign-in or a refresh brought. Secret: its values are in no repr.

    Attributes:
        values: secrets by the name of the setting that they fill (``{"access_token": "..."}``).
        refresh: the refresh token; "" where there is none.
        expires: when ``values`` end (aware), None where they do not or nobody says so.
        answer: the vendor's whole answer, for ``settle`` and ``renew``.
    """

    values: Mapping[str, str] = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires: datetime | None = None
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Our keys as an app at a vendor, where it hands them out on request (Mastodon, per server)."""

    client_id: str
    client_secret: str = field(default="", repr=False)


Settle: TypeAlias = Callable[[Session, Grant], Grant]
"""A vendor's own step: a better grant for this one. Ask with ``asked``; may raise an Outcome or a ReverberateError."""
Register: TypeAlias = Callable[[Session, str], App]
"""Makes an app for this exact redirect address. May raise as ``Settle``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth1Flow:
    """OAuth 1.0a in three legs (X, Tumblr): the tokens last until they are revoked.

    Attributes:
        request_url, authorize_url, access_url: the three legs.
        key, secret: the settings that hold the app's own keys.
        fills: which field of the last answer fills which setting.
        revoke_url: a signed POST there revokes the token; "" where the vendor has none.
        settle: the vendor's own last step, if any.
    """

    request_url: str
    authorize_url: str
    access_url: str
    key: str = "consumer_key"
    secret: str = "consumer_secret"  # noqa: S105 - the name of a setting
    fills: Mapping[str, str] = field(default_factory=lambda: TOKEN_AND_SECRET)
    revoke_url: str = ""
    settle: Settle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Flow:
    """OAuth 2 with an authorization code.

    Attributes:
        authorize_url, token_url: where the owner consents, and where the code becomes a token.
        revoke_url: RFC 7009; "" where the vendor has none.
        scopes: what we ask for, no more than posting and looking need; shown to the owner beforehand.
        joiner: what stands between the scopes; Meta and Pinterest want a comma.
        pkce: whether a code challenge (S256) is sent. Leave it on wherever the vendor does not choke on it.
        client_id, client_secret: the settings that hold the app's keys; without ``register`` the first one has to be set.
        client: how the app proves itself: ``basic`` (header), ``post`` (in the form), ``public`` (no secret).
        register: makes an app on the spot, where the vendor allows that; its keys go into the vault.
        params: further parameters of the authorize address (``{"duration": "permanent"}``).
        token_params: further parameters of the token and refresh requests.
        fills: which field of the answer fills which setting.
        settle: the vendor's own last step (Facebook: the Page's token; Threads: short-lived to long-lived).
        renew: the vendor's own way to prolong a token without a refresh token (Threads, Instagram).
        rotates: whether each refresh hands out a new refresh token and ends the old one. Only says how careful to be:
            a new one is always kept when it comes.
        ahead: how long before its end a token is refreshed. Also keeps what must be prolonged weekly alive.
        lifetime: how long a token lasts where the answer does not say (``expires_in``); None is for ever.
    """

    authorize_url: str
    token_url: str
    revoke_url: str = ""
    scopes: tuple[str, ...] = ()
    joiner: str = " "
    pkce: bool = True
    client_id: str = "client_id"
    client_secret: str = "client_secret"  # noqa: S105 - the name of a setting
    client: Literal["basic", "post", "public"] = "post"
    register: Register | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    token_params: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=lambda: ACCESS_TOKEN)
    settle: Settle | None = None
    renew: Settle | None = None
    rotates: bool = True
    ahead: timedelta = timedelta(minutes=10)
    lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that the owner pastes.

    Attributes:
        setting: what it fills.
        label: what it is called where the owner finds it ("App password").
    """

    setting: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteFlow:
    """The owner makes a password or token at the vendor and pastes it (Bluesky, Telegram, WordPress, webhooks).

    What was pasted is verified with ``Verifies`` before it is kept.

    Attributes:
        where: the address at which it is made, or the words that say how.
        asks: what is pasted, in order; read without echo.
    """

    where: str
    asks: tuple[Ask, ...]


Flow: TypeAlias = OAuth1Flow | OAuth2Flow | PasteFlow
ADDRESSES = ("request_url", "authorize_url", "access_url", "token_url", "revoke_url")


def moved(flow: Flow, base: str) -> Flow:
    """The flow at another place than the vendor's: its addresses' paths below ``base``; those at its host stay there.

    Below ``http://127.0.0.1:80/vendor``, ``https://vendor.example/auth`` is ``http://127.0.0.1:80/vendor/auth``.
    """
    if not base or isinstance(flow, PasteFlow):
        return flow
    given = {name: url for name in ADDRESSES if (url := getattr(flow, name, ""))}
    changed: dict[str, Any] = {name: _below(base.rstrip("/"), url) for name, url in given.items()}
    return replace(flow, **changed)


def always(flow: Flow) -> staticmethod[[Any], Flow]:
    """A plug-in's ``flow`` (see ``base.Connects``) where no setting changes anything of it."""
    return staticmethod(lambda settings: flow)  # noqa: ARG005 - asked like any other


def pasted(setting: str, label: str, *, where: str) -> staticmethod[[Any], Flow]:
    """A plug-in's ``flow`` where one thing is pasted; ``label`` is what it is called at ``where``."""
    return always(PasteFlow(where=where, asks=(Ask(setting, label),)))


class Ended(Unauthorised):
    """The sign-in is over for good: refreshing again is of no use, the owner has to connect anew."""


OVER = {"invalid_grant", "invalid_token", "access_denied"}
"""Error codes after which a refresh token is of no more use. Source: RFC 6749, section 5.2; RFC 6750, section 3.1."""


META_OVER = 190
"""Meta's code for a token that is no more. Source: developers.facebook.com, Graph API, Handling Errors."""


def asked(session: Session, method: str, url: str, **kwargs: Any) -> Mapping[str, Any]:
    """The JSON object that a vendor answers to a step of a sign-in; nothing is ever posted by one.

    Raises:
        Ended: the vendor says that the sign-in is over.
        Unauthorised: the vendor says no to something else, in its own words.
        RateLimited, Transient: not now.
        Unsure: the answer was lost or cannot be read; a token that works once may be used up.
    """
    response = session.request(method, url, allow_redirects=False, **kwargs)
    body = _body(response)
    if response.ok and not response.is_redirect and body:
        return body
    raise refusal(session, response)


def _below(base: str, url: str) -> str:
    address = urlsplit(url)
    return url if address.netloc == urlsplit(base).netloc else f"{base}{address.path}"


def _body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def refusal(session: Session, response: requests.Response) -> Outcome:
    """What an answer that is of no use to a sign-in means; as ``asked`` raises it."""
    body, status = _body(response), response.status_code
    words = " ".join(session.mask(f"{status} {_told(body) or response.reason or ''}").split())[:300]
    if status == 429:
        return RateLimited(words, status=status, until=wait_until(response.headers, now=datetime.now(UTC)))
    if response.ok and not response.is_redirect:
        return Unsure("the answer was a success but not readable as JSON", status=status)
    if status >= 500 or status == 408:
        return Transient(words, status=status)
    error = body.get("error")
    over = error.get("code") == META_OVER if isinstance(error, dict) else str(error) in OVER
    if status == 401:
        words += _by_the_clock(response)
    return Ended(words, status=status) if over else Unauthorised(words, status=status)


def _told(body: Mapping[str, Any]) -> object:
    """What a refusal says of itself: RFC 6749's way, Meta's, or X's list."""
    errors = body.get("errors")
    told = body.get("error_description") or body.get("error_message") or body.get("error")
    told = told or (errors[0] if isinstance(errors, list) and errors else None)
    return told.get("message") if isinstance(told, dict) else told


def _by_the_clock(response: requests.Response) -> str:
    """What may be the reason of a refusal: a request that is signed by a wrong clock is taken for an old one."""
    ahead = skew(response.headers, at=datetime.now(UTC))
    if ahead is None or abs(ahead) <= CLOCKS_DIFFER:
        return ""
    side = "behind" if ahead > timedelta(0) else "ahead of"
    return (
        f"; this machine's clock is {round(abs(ahead).total_seconds() / 60)} minutes {side} the network's: set it right"
    )
