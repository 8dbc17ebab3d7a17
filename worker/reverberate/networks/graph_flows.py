"""Signing in at Meta: a code becomes a short-lived token, that a long-lived one, and at Facebook that the Page's own.

Source: developers.facebook.com, Manually Build a Login Flow and Long-Lived Tokens; Threads API, Get Access Tokens; Instagram
API with Instagram Login, Business Login.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reverberate.errors import ReverberateError
from reverberate.networks.flows import Grant, OAuth2Flow, asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverberate.http import Session
    from reverberate.networks.flows import Settle

WEEKLY = timedelta(days=53)
"""Meta prolongs a token of 60 days that is at least a day old: once a week keeps it alive, with time for trouble."""
EXCHANGES = {"https://graph.instagram.com": "https://api.instagram.com"}
"""Where a code becomes a token, where that is not the API's own host."""


def of_pages(*scopes: str) -> staticmethod[[Any], OAuth2Flow]:
    """A plug-in's ``flow`` to a Page's token, which has no date of expiry; its settings name the Page."""

    def flow(settings: Any) -> OAuth2Flow:
        base = f"{settings.api_base.rstrip('/')}/{settings.version}"
        return _metas(
            scopes,
            authorize_url=f"https://www.facebook.com/{settings.version}/dialog/oauth",
            token_url=f"{base}/oauth/access_token",
            settle=_of_page(base, settings),
        )

    return staticmethod(flow)


def of_sixty_days(kind: str, *, authorize_url: str, scopes: Sequence[str]) -> staticmethod[[Any], OAuth2Flow]:
    """A plug-in's ``flow`` to a token of 60 days, prolonged weekly.

    Args:
        kind: what Meta's grants of this network begin with (``th``, ``ig``).
        authorize_url: where the owner consents.
        scopes: what is asked for.
    """

    def flow(settings: Any) -> OAuth2Flow:
        base = settings.api_base.rstrip("/")
        return _metas(
            scopes,
            authorize_url=authorize_url,
            token_url=f"{EXCHANGES.get(base, base)}/oauth/access_token",
            settle=_long_lived(f"{base}/access_token", f"{kind}_exchange_token", settings),
            renew=_renewed(f"{base}/refresh_access_token", f"{kind}_refresh_token"),
            ahead=WEEKLY,
        )

    return staticmethod(flow)


def _metas(scopes: Sequence[str], **more: Any) -> OAuth2Flow:
    """What all of Meta's flows have in common."""
    return OAuth2Flow(scopes=tuple(scopes), joiner=",", pkce=False, **more)


def _of_page(base: str, settings: Any) -> Settle:
    def settle(session: Session, grant: Grant) -> Grant:
        app = {"client_id": settings.client_id, "client_secret": _secret(settings)}
        form = {"grant_type": "fb_exchange_token", "fb_exchange_token": grant.values["access_token"]} | app
        user = str(asked(session, "POST", f"{base}/oauth/access_token", data=form)["access_token"])
        session.learn(user)
        params = {"fields": "id,name,access_token", "limit": "100"}
        told = asked(session, "GET", f"{base}/me/accounts", params=params, headers=_bearer(user))
        return _its_own(told.get("data", []), settings.page_id, grant)

    return settle


def _its_own(pages: Any, page_id: str, grant: Grant) -> Grant:
    """The grant of the account's own Page.

    Raises:
        ReverberateError: the owner did not give us that Page.
    """
    for page in pages:
        if page.get("id") == page_id and page.get("access_token"):
            return replace(grant, values={"access_token": str(page["access_token"])}, refresh="", expires=None)
    known = ", ".join(f"{page.get('name')} ({page.get('id')})" for page in pages) or "none"
    raise ReverberateError(f"Facebook gave us no Page {page_id}", hint=f"choose it when you sign in; you gave: {known}")


def _long_lived(url: str, kind: str, settings: Any) -> Settle:
    def settle(session: Session, grant: Grant) -> Grant:
        # Meta takes the app's secret in the address alone; the session masks it in every text
        params = {"grant_type": kind, "client_secret": _secret(settings)}
        return _longer(grant, asked(session, "GET", url, params=params, headers=_bearer(grant.values["access_token"])))

    return settle


def _renewed(url: str, kind: str) -> Settle:
    def renew(session: Session, grant: Grant) -> Grant:
        bearer = _bearer(grant.values["access_token"])
        return _longer(grant, asked(session, "GET", url, params={"grant_type": kind}, headers=bearer))

    return renew


def _longer(grant: Grant, told: Mapping[str, Any]) -> Grant:
    expires = datetime.now(UTC) + timedelta(seconds=float(told.get("expires_in", 60 * 86400)))
    return replace(grant, values={"access_token": str(told["access_token"])}, expires=expires, answer=told)


def _secret(settings: Any) -> str:
    if settings.client_secret is None:
        raise ReverberateError(
            "client_secret is missing", hint="it is in your app's dashboard, under App settings > Basic"
        )
    return str(settings.client_secret.reveal())


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
