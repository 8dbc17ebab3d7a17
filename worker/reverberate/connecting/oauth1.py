"""OAuth 1.0a in three legs. Source: RFC 5849; the signatures are requests-oauthlib's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from requests_oauthlib import OAuth1

from reverberate.connecting.nouns import needed, setting, with_params
from reverberate.networks.flows import Grant, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.connecting.nouns import Begun
    from reverberate.http import Session
    from reverberate.networks.base import NetworkSettings
    from reverberate.networks.flows import OAuth1Flow


def start(flow: OAuth1Flow, settings: NetworkSettings, begun: Begun, session: Session) -> Begun:
    """The first leg: a request token, and the address at which the owner lets us use it."""
    auth = OAuth1(*_keys(flow, settings, begun.account), callback_uri=begun.redirect)
    legs = _form(session, flow.request_url, auth)
    address = with_params(flow.authorize_url, {"oauth_token": legs["oauth_token"]})
    return replace(begun, address=address, state=legs["oauth_token"], secret=legs["oauth_token_secret"])


def finish(
    flow: OAuth1Flow, settings: NetworkSettings, begun: Begun, params: Mapping[str, str], session: Session
) -> Grant:
    """The last leg: the token itself."""
    keys = _keys(flow, settings, begun.account)
    session.learn(begun.secret)
    auth = OAuth1(*keys, begun.state, begun.secret, verifier=params.get("oauth_verifier", ""))
    answer = _form(session, flow.access_url, auth)
    return Grant(values={name: answer[given] for given, name in flow.fills.items()}, answer=answer)


def signed(flow: OAuth1Flow, settings: NetworkSettings, token: str, secret: str) -> OAuth1:
    """What signs a request in the owner's name."""
    return OAuth1(setting(settings, flow.key), setting(settings, flow.secret), token, secret)


def _keys(flow: OAuth1Flow, settings: NetworkSettings, account: str) -> tuple[str, str]:
    return needed(settings, flow.key, account), needed(settings, flow.secret, account)


def _form(session: Session, url: str, auth: OAuth1) -> dict[str, str]:
    """The form that a leg of OAuth 1.0a answers with."""
    response = session.request("POST", url, auth=auth, allow_redirects=False)
    answer = dict(parse_qsl(response.text))
    if response.ok and "oauth_token" in answer and "oauth_token_secret" in answer:
        session.learn(answer["oauth_token_secret"])
        return answer
    raise refusal(session, response)
