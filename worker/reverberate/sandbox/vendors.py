"""How people sign in at the sandbox's networks with OAuth 2, as data: what each vendor's documentation says of its own.

Sources: docs.x.com, OAuth 2.0; developers.facebook.com, Manually Build a Login Flow, Threads API, Instagram API with
Instagram Login; learn.microsoft.com, LinkedIn, Authorization Code Flow; developers.google.com, OAuth 2.0 for Web Server
Applications; github.com/reddit-archive/reddit/wiki/OAuth2; developers.pinterest.com, Set up authentication;
developer.wordpress.com, OAuth2 Authentication; docs.joinmastodon.org, OAuth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORT, LONG = timedelta(hours=1), timedelta(days=60)
"""How long Meta's short-lived and long-lived tokens last."""
OLD_ENOUGH = timedelta(hours=24)
"""So old a long-lived token of Threads and Instagram must be before it is prolonged."""
DENIED: Mapping[str, str] = {"error": "access_denied"}
META_DENIED = {
    "error": "access_denied",
    "error_reason": "user_denied",
    "error_description": "The user denied your request.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """What one vendor's authorization server does.

    Attributes:
        authorize, token, revoke: the paths below the network's; ``*`` stands for one part; "" where there is none.
        scopes: those that it knows.
        joiner: what stands between scopes.
        pkce: whether it insists on a code challenge.
        proof: how an app proves itself: in the header, in the form, or as it likes.
        public: whether an app may have no secret.
        lasts: how long a token lasts; None is for ever.
        refresh: whether a refresh token comes, and whether it works once or goes on working.
        refresh_if: only if the owner was sent with this parameter, or (``scope``) with this scope.
        plain: which redirect addresses may be without TLS.
        denied: what comes back when the owner says no, besides the state.
        kind: what the code becomes: a token for the API, or only one to ask for that.
    """

    authorize: str
    token: str
    revoke: str = ""
    scopes: frozenset[str]
    joiner: str = " "
    pkce: bool = False
    proof: Literal["basic", "post", "any"] = "any"
    public: bool = False
    lasts: timedelta | None = None
    refresh: Literal["", "once", "stays"] = ""
    refresh_if: tuple[str, str] | None = None
    plain: Literal["loopback", "localhost", "none"] = "loopback"
    denied: Mapping[str, str] = field(default_factory=lambda: DENIED)
    kind: Literal["access", "user"] = "access"


VENDORS: Mapping[str, Vendor] = {
    "twitter": Vendor(
        authorize="/i/oauth2/authorize",
        token="/2/oauth2/token",  # noqa: S106 - a path, as those below
        revoke="/2/oauth2/revoke",
        scopes=frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"}),
        pkce=True,
        proof="basic",
        public=True,
        lasts=timedelta(hours=2),
        refresh="once",
        refresh_if=("scope", "offline.access"),
    ),
    "facebook": Vendor(
        authorize="/*/dialog/oauth",
        token="/*/oauth/access_token",  # noqa: S106
        scopes=frozenset({"pages_show_list", "pages_read_engagement", "pages_manage_posts"}),
        joiner=",",
        proof="post",
        lasts=SHORT,
        plain="localhost",
        denied=META_DENIED,
        kind="user",
    ),
    "instagram": Vendor(
        authorize="/oauth/authorize",
        token="/oauth/access_token",  # noqa: S106
        scopes=frozenset({"instagram_business_basic", "instagram_business_content_publish"}),
        joiner=",",
        proof="post",
        lasts=SHORT,
        plain="none",
        denied=META_DENIED,
    ),
    "threads": Vendor(
        authorize="/oauth/authorize",
        token="/oauth/access_token",  # noqa: S106
        scopes=frozenset({"threads_basic", "threads_content_publish", "threads_delete", "threads_manage_insights"}),
        joiner=",",
        proof="post",
        lasts=SHORT,
        plain="none",
        denied=META_DENIED,
    ),
    "linkedin": Vendor(
        authorize="/oauth/v2/authorization",
        token="/oauth/v2/accessToken",  # noqa: S106
        scopes=frozenset({"openid", "profile", "w_member_social", "w_organization_social", "r_organization_social"}),
        proof="post",
        lasts=timedelta(days=60),
        denied={"error": "user_cancelled_authorize", "error_description": "The user cancelled the authorization"},
    ),
    "google_business": Vendor(
        authorize="/o/oauth2/v2/auth",
        token="/token",  # noqa: S106
        revoke="/revoke",
        scopes=frozenset({"https://www.googleapis.com/auth/business.manage"}),
        lasts=timedelta(hours=1),
        refresh="stays",
        refresh_if=("access_type", "offline"),
    ),
    "reddit": Vendor(
        authorize="/api/v1/authorize",
        token="/api/v1/access_token",  # noqa: S106
        revoke="/api/v1/revoke_token",
        scopes=frozenset({"identity", "submit", "read", "edit", "history", "flair"}),
        proof="basic",
        lasts=timedelta(hours=24),
        refresh="stays",
        refresh_if=("duration", "permanent"),
    ),
    "pinterest": Vendor(
        authorize="/oauth/",
        token="/v5/oauth/token",  # noqa: S106
        scopes=frozenset({"boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"}),
        joiner=",",
        proof="basic",
        lasts=timedelta(days=30),
        refresh="once",
    ),
    "wordpress": Vendor(
        authorize="/oauth2/authorize",
        token="/oauth2/token",  # noqa: S106
        scopes=frozenset({"auth", "global", "posts"}),
        proof="post",
    ),
    "mastodon": Vendor(
        authorize="/oauth/authorize",
        token="/oauth/token",  # noqa: S106
        revoke="/oauth/revoke",
        scopes=frozenset({"read", "write", "read:accounts", "read:statuses", "write:media", "write:statuses"}),
    ),
}
