"""The made-up keys of the sandbox's accounts: drawn from a seed, so that nobody has to register anything."""

from __future__ import annotations

import base64
import hashlib
import hmac

DOMAIN = "sandbox.test"
"""Handles end in it."""


def draw(seed: str, *parts: str) -> str:
    """Thirty letters and digits that only this seed and these parts give."""
    return hmac.new(seed.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:30]


def number(seed: str, *parts: str) -> str:
    """A decimal number of fifteen digits, likewise."""
    return str(10**14 + int(draw(seed, *parts)[:12], 16) % (9 * 10**14))


def did(seed: str, account: str) -> str:
    """The account's identifier on Bluesky."""
    digest = hmac.new(seed.encode(), f"did\0{account}".encode(), hashlib.sha256).digest()
    return f"did:plc:{base64.b32encode(digest).decode().lower()[:24]}"


def token(seed: str, network: str, account: str) -> str:
    """A token that tells its account."""
    return f"{account}.{draw(seed, network, account, 'token')}"


def owner(seed: str, network: str, given: str) -> str:
    """The account whose token this is; "" if it is nobody's."""
    account, _, _ = given.rpartition(".")
    return account if account and same(given, token(seed, network, account)) else ""


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def credentials(seed: str, network: str, account: str) -> dict[str, str]:
    """The secrets by which an account is known, under the names of the network's settings."""
    match network:
        case "twitter":
            app = {name: draw(seed, network, "app", name) for name in ("consumer_key", "consumer_secret")}
            mine = f"{number(seed, network, account)}-{token(seed, network, account)}"
            secret = draw(seed, network, account, "access_token_secret")
            return app | {"access_token": mine, "access_token_secret": secret}
        case "facebook" | "mastodon" | "instagram" | "threads" | "linkedin" | "google_business":
            return {"access_token": token(seed, network, account)}
        case "bluesky":
            return {"app_password": draw(seed, network, account, "app password")}
        case "wordpress":
            return {"app_password": token(seed, network, account)}
        case _:
            return {}


def settings(url: str, seed: str, network: str, account: str) -> dict[str, str]:
    """The settings of an account that are no secrets, for a sandbox at ``url``."""
    match network:
        case "twitter":
            return {"api_base": f"{url}/twitter", "web_base": f"{url}/web/twitter", "username": account}
        case "facebook":
            return {"api_base": f"{url}/facebook", "page_id": number(seed, network, account)}
        case "instagram":
            return {"api_base": f"{url}/instagram", "user_id": number(seed, network, account)}
        case "threads":
            return {"api_base": f"{url}/threads"}
        case "linkedin":
            author = f"urn:li:organization:{number(seed, network, account)}"
            return {"api_base": f"{url}/linkedin", "web_base": f"{url}/web/linkedin", "author": author}
        case "google_business":
            mine = number(seed, network, account)
            return {"api_base": f"{url}/google_business", "account": mine, "location": mine}
        case "mastodon":
            return {"instance": url, "api_base": f"{url}/mastodon"}
        case "bluesky":
            web = f"{url}/web/bluesky"
            return {"handle": f"{account}.{DOMAIN}", "api_base": f"{url}/bluesky", "web_base": web}
        case "wordpress":
            return {"site": f"{url}/web/wordpress", "user": account, "api_base": f"{url}/wordpress"}
        case _:
            return {}
