"""Signing in at a vendor, in steps that know no terminal, no web page and no store.

``start`` gives the address at which the owner consents; ``finish`` takes what the vendor sent back with the owner and
gives the grant; ``refresh`` prolongs it; ``revoke`` ends it.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from reverberate.connecting import oauth1, oauth2
from reverberate.connecting.nouns import PATIENCE, REFRESH, Begun, ConnectError, explained, kept_fields
from reverberate.errors import Unauthorised
from reverberate.networks.flows import Ended, Grant, OAuth1Flow, OAuth2Flow, PasteFlow, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverberate.http import Session
    from reverberate.networks.base import NetworkSettings
    from reverberate.networks.flows import Flow

__all__ = [
    "PATIENCE",
    "REFRESH",
    "Begun",
    "ConnectError",
    "belongs",
    "explained",
    "finish",
    "kept_fields",
    "pasted",
    "refresh",
    "refreshable",
    "revoke",
    "start",
    "state_of",
]


def start(
    flow: Flow, settings: NetworkSettings, *, account: str, redirect: str, session: Session, now: datetime
) -> Begun:
    """Begin a sign-in.

    Raises:
        ConnectError: the app's keys are missing, the vendor says no or cannot be reached.
    """
    begun = Begun(account=account, address="", redirect=redirect, started=now, state=secrets.token_urlsafe(32))
    with explained(account):
        match flow:
            case OAuth1Flow():
                return oauth1.start(flow, settings, begun, session)
            case OAuth2Flow():
                return oauth2.start(flow, settings, begun, session)
            case PasteFlow():
                raise ConnectError(f"{account} is connected by pasting", hint=flow.where)


def finish(
    flow: Flow,
    settings: NetworkSettings,
    begun: Begun,
    params: Mapping[str, str],
    *,
    session: Session,
    now: datetime,
) -> Grant:
    """Turn what came back with the owner (the redirect's query) into tokens.

    Raises:
        ConnectError: it belongs to another sign-in, came too late, the owner or the vendor said no, or the vendor
            cannot be reached.
    """
    _check(begun, params, now=now)
    with explained(begun.account):
        match flow:
            case OAuth1Flow():
                grant = oauth1.finish(flow, settings, begun, params, session)
            case OAuth2Flow():
                grant = oauth2.finish(flow, settings, begun, params, session, now=now)
            case PasteFlow():
                raise ConnectError(f"{begun.account} is connected by pasting", hint=flow.where)
        return flow.settle(session, grant) if flow.settle else grant


def pasted(address: str) -> dict[str, str]:
    """The parameters in an address that the owner copied from the browser, or in its query alone."""
    text = address.strip()
    return dict(parse_qsl(urlsplit(text).query or text.partition("?")[2] or text))


def state_of(params: Mapping[str, str]) -> str:
    """What a vendor's answer says to which sign-in it belongs: OAuth 2's state, OAuth 1.0a's request token."""
    return params.get("state") or params.get("oauth_token") or params.get("denied") or ""


def belongs(begun: Begun, params: Mapping[str, str]) -> bool:
    """Whether what came back belongs to this sign-in; compared in a time that tells nothing."""
    return hmac.compare_digest(state_of(params).encode(), begun.state.encode())


def refresh(
    flow: Flow, settings: NetworkSettings, kept: Mapping[str, str], *, session: Session, now: datetime
) -> Grant:
    """Prolong what is kept.

    Raises:
        Outcome: as ``flows.asked``; Ended where only the owner can help.
        SecretMissing: the app's keys are not there.
    """
    for secret in kept.values():
        session.learn(secret)
    if not isinstance(flow, OAuth2Flow):
        raise Ended("this kind of sign-in cannot be refreshed")
    if flow.renew is not None:
        old = Grant(values={name: kept.get(name, "") for name in flow.fills.values()}, refresh=kept.get(REFRESH, ""))
        return flow.renew(session, old)
    return oauth2.refresh(flow, settings, kept, session, now=now)


def refreshable(flow: Flow, grant: Grant) -> bool:
    """Whether ``refresh`` can do anything for it."""
    return isinstance(flow, OAuth2Flow) and (flow.renew is not None or bool(grant.refresh))


def revoke(flow: Flow, settings: NetworkSettings, kept: Mapping[str, str], *, session: Session) -> bool:
    """End the sign-in at the vendor; False where the vendor has no way to.

    Raises:
        Outcome, SecretMissing: as ``refresh``.
    """
    if isinstance(flow, PasteFlow) or not flow.revoke_url:
        return False
    for secret in kept.values():
        session.learn(secret)
    if isinstance(flow, OAuth1Flow):
        signed = oauth1.signed(flow, settings, *(kept.get(name, "") for name in flow.fills.values()))
        _post(session, flow.revoke_url, auth=signed)
        return True
    app, token = oauth2.app_of(flow, settings, kept), next(iter(flow.fills.values()))
    first, *rest = [
        {"token": kept[name], "token_type_hint": hint}
        for hint, name in (("refresh_token", REFRESH), ("access_token", token))
        if kept.get(name)
    ] or [{}]
    if not first:
        return False
    _post(session, flow.revoke_url, **oauth2.proven(flow, app, first))
    for form in rest:
        with suppress(Unauthorised):  # it ended with the refresh token
            _post(session, flow.revoke_url, **oauth2.proven(flow, app, form))
    return True


def _check(begun: Begun, params: Mapping[str, str], *, now: datetime) -> None:
    if now - begun.started > PATIENCE:
        raise ConnectError(f"{begun.account}: that took longer than 10 minutes", hint="begin again")
    if not belongs(begun, params):
        raise ConnectError(f"{begun.account}: this answer belongs to another sign-in", hint="begin again")
    if refused := params.get("denied") or params.get("error"):
        words = params.get("error_description") or ("it was not allowed" if "denied" in params else refused)
        raise ConnectError(f"{begun.account} is not connected: {' '.join(words.split())[:300]}")


def _post(session: Session, url: str, **kwargs: Any) -> None:
    response = session.request("POST", url, allow_redirects=False, **kwargs)
    if not response.ok or response.is_redirect:
        raise refusal(session, response)
