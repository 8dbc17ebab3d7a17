"""An OAuth 1.0a provider (Authlib) with X's paths: the three legs, the revocation, and signed calls. Usage: oauth1.py PORT"""

from __future__ import annotations

import sys
from typing import Any

from authlib.integrations.flask_oauth1 import AuthorizationServer, ResourceProtector, current_credential
from authlib.integrations.flask_oauth1.cache import (
    create_exists_nonce_func,
    register_nonce_hooks,
    register_temporary_credential_hooks,
)
from authlib.oauth1 import ClientMixin, TokenCredentialMixin
from flask import Flask, jsonify, request


class Cache(dict[str, Any]):
    """What Authlib wants of a cache."""

    def has(self, key: str) -> bool:
        """Whether it is there."""
        return key in self

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:  # noqa: ARG002 - Authlib's signature
        """Keep it."""
        self[key] = value

    def delete(self, key: str) -> None:
        """Forget it."""
        self.pop(key, None)


class Client(ClientMixin):  # type: ignore[misc]  # Authlib ships no types
    """The one app."""

    client_id, client_secret = "app-key", "app-secret"

    def get_default_redirect_uri(self) -> str:
        """None of its own: the request says where to."""
        return ""

    def get_client_secret(self) -> str:
        """See Authlib."""
        return self.client_secret

    def get_rsa_public_key(self) -> None:
        """It signs with HMAC."""


class Token(TokenCredentialMixin):  # type: ignore[misc]  # as above
    """What the app got for an owner."""

    def __init__(self, token: str, secret: str) -> None:
        self.token, self.secret = token, secret

    def get_oauth_token(self) -> str:
        """See Authlib."""
        return self.token

    def get_oauth_token_secret(self) -> str:
        """See Authlib."""
        return self.secret


class Owner:
    """Who consents."""

    id = "42"

    def get_user_id(self) -> str:
        """See Authlib."""
        return self.id


client, tokens, cache = Client(), {}, Cache()
posts: list[Any] = []
app = Flask("oauth1")
app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = ["HMAC-SHA1"]


def the_client(client_id: str) -> Client | None:
    """The app, if it is that one."""
    return client if client_id == client.client_id else None


def keep(token: dict[str, str], _temporary: Any) -> Token:
    """A new token."""
    made = Token(token["oauth_token"], token["oauth_token_secret"])
    tokens[made.token] = made
    return made


server = AuthorizationServer(app, query_client=the_client)
register_nonce_hooks(server, cache)
register_temporary_credential_hooks(server, cache)
server.register_hook("create_token_credential", keep)
signed = ResourceProtector(
    app,
    query_client=the_client,
    query_token=lambda _client_id, token: tokens.get(token),
    exists_nonce=create_exists_nonce_func(cache),
)


@app.post("/oauth/request_token")
def request_token() -> Any:
    """The first leg."""
    return server.create_temporary_credentials_response()


@app.get("/oauth/authorize")
def authorize() -> Any:
    """The owner agrees at once."""
    server.check_authorization_request()
    return server.create_authorization_response(grant_user=Owner())


@app.post("/oauth/access_token")
def access_token() -> Any:
    """The last leg."""
    return server.create_token_response()


@app.post("/1.1/oauth/invalidate_token")
@signed()
def revoke() -> Any:
    """The token is no more."""
    tokens.pop(current_credential.get_oauth_token())
    return jsonify(access_token="gone")


@app.get("/2/users/me")
@signed()
def me() -> Any:
    """Who the owner is."""
    return jsonify(data={"id": Owner.id, "name": "Owner", "username": "owner"})


@app.post("/2/tweets")
@signed()
def post() -> Any:
    """One more post."""
    posts.append(request.get_json())
    return jsonify(data={"id": str(len(posts)), "text": posts[-1]["text"]}), 201


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]))
