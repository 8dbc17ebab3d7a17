"""OAuth 2 with an authorization code. Sources: RFC 6749, RFC 7636 (PKCE), RFC 8252 (loopback redirects)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oauthlib.oauth2 import WebApplicationClient

from reverberate.connecting.nouns import (
    APP_ID,
    APP_SECRET,
    REFRESH,
    ConnectError,
    kept_fields,
    needed,
    setting,
    with_params,
)
from reverberate.networks.flows import App, Ended, Grant, asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.connecting.nouns import Begun
    from reverberate.http import Session
    from reverberate.networks.base import NetworkSettings
    from reverberate.networks.flows import OAuth2Flow


def start(flow: OAuth2Flow, settings: NetworkSettings, begun: Begun, session: Session) -> Begun:
    """The address at which the owner consents."""
    app = flow.register(session, begun.redirect) if flow.register else None
    client_id = app.client_id if app else needed(settings, flow.client_id, begun.account)
    params = {"response_type": "code", "client_id": client_id, "redirect_uri": begun.redirect, "state": begun.state}
    params |= {"scope": flow.joiner.join(flow.scopes)} if flow.scopes else {}
    verifier = ""
    if flow.pkce:
        pkce: Any = WebApplicationClient(client_id)
        verifier = pkce.create_code_verifier(64)
        params |= {"code_challenge": pkce.create_code_challenge(verifier, "S256"), "code_challenge_method": "S256"}
    return replace(begun, address=with_params(flow.authorize_url, {**params, **flow.params}), secret=verifier, app=app)


def finish(
    flow: OAuth2Flow,
    settings: NetworkSettings,
    begun: Begun,
    params: Mapping[str, str],
    session: Session,
    *,
    now: datetime,
) -> Grant:
    """The token for the code that came back with the owner."""
    code = params.get("code", "")
    if not code:
        raise ConnectError(f"{begun.account} is not connected: the answer has no code in it", hint="begin again")
    session.learn(code)
    form = {"grant_type": "authorization_code", "code": code.removesuffix("#_"), "redirect_uri": begun.redirect}
    form |= {"code_verifier": begun.secret} if begun.secret else {}
    kept = kept_fields(Grant(values={}), begun.app)
    return _grant(flow, _token(flow, app_of(flow, settings, kept), form, session), now=now)


def refresh(
    flow: OAuth2Flow, settings: NetworkSettings, kept: Mapping[str, str], session: Session, *, now: datetime
) -> Grant:
    """A new token for the refresh token; that one is kept where no other comes."""
    if not kept.get(REFRESH):
        raise Ended("there is no refresh token")
    form = {"grant_type": "refresh_token", "refresh_token": kept[REFRESH]}
    grant = _grant(flow, _token(flow, app_of(flow, settings, kept), form, session), now=now)
    return replace(grant, refresh=grant.refresh or kept[REFRESH])


def proven(flow: OAuth2Flow, app: App, form: Mapping[str, str]) -> dict[str, Any]:
    """A form, and the proof that it is our app that sends it."""
    match flow.client:
        case "basic":  # RFC 6749, 2.3.1: both are encoded first
            return {"data": form, "auth": (quote(app.client_id, safe=""), quote(app.client_secret, safe=""))}
        case "post":
            return {"data": {**form, "client_id": app.client_id, "client_secret": app.client_secret}}
        case "public":
            return {"data": {**form, "client_id": app.client_id}}


def app_of(flow: OAuth2Flow, settings: NetworkSettings, kept: Mapping[str, str]) -> App:
    """Our keys: those that were made for the account, else those of the settings."""
    if kept.get(APP_ID):
        return App(client_id=kept[APP_ID], client_secret=kept.get(APP_SECRET, ""))
    secret = "" if flow.client == "public" else setting(settings, flow.client_secret)
    return App(client_id=setting(settings, flow.client_id), client_secret=secret)


def _token(flow: OAuth2Flow, app: App, form: dict[str, str], session: Session) -> Mapping[str, Any]:
    session.learn(app.client_secret)
    return asked(session, "POST", flow.token_url, **proven(flow, app, {**form, **flow.token_params}))


def _grant(flow: OAuth2Flow, answer: Mapping[str, Any], *, now: datetime) -> Grant:
    missing = [given for given in flow.fills if not answer.get(given)]
    if missing:
        raise Ended(f"the answer has no {missing[0]}")
    return Grant(
        values={name: str(answer[given]) for given, name in flow.fills.items()},
        refresh=str(answer.get("refresh_token") or ""),
        expires=_end(flow, answer, now=now),
        answer=answer,
    )


def _end(flow: OAuth2Flow, answer: Mapping[str, Any], *, now: datetime) -> datetime | None:
    try:
        return now + timedelta(seconds=float(answer["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return now + flow.lifetime if flow.lifetime else None
