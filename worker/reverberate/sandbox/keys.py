"""The made-up keys of the sandbox's accounts: drawn from a seed, so that nobody has to register anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DOMAIN = "sandbox.test"
"""Handles end in it."""


SIGNED, BEARER = ("consumer_key", "consumer_secret"), ("client_id", "client_secret")
"""An app's keys, where its requests are signed (OAuth 1.0a), and where they bring a token (OAuth 2)."""
APPS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("facebook", "instagram", "threads", "linkedin", "google_business", "pinterest", "reddit", "wordpress"), BEARER
)
APPS |= {"tumblr": SIGNED, "twitter": (*SIGNED, *BEARER)}
"""The keys that an app has there; Mastodon makes apps on the spot."""


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


def chat(seed: str, account: str) -> str:
    """The number of the account's channel on Telegram."""
    return f"-100{number(seed, 'telegram', account)}"


def hook(seed: str, account: str) -> str:
    """Number and token of the account's webhook on Discord, as its address ends."""
    return f"{number(seed, 'discord', account, 'webhook')}/{account}-{draw(seed, 'discord', account, 'webhook')}"


def app(seed: str, network: str) -> dict[str, str]:
    """The keys of the one app that every vendor of the sandbox knows, under the names of the network's settings."""
    return {name: draw(seed, network, "app", name) for name in APPS.get(network, ())}


def credentials(seed: str, network: str, account: str) -> dict[str, str]:
    """The secrets by which an account is known, under the names of the network's settings."""
    match network:
        case "twitter" | "tumblr":
            mine = f"{number(seed, network, account)}-{token(seed, network, account)}"
            secret = draw(seed, network, account, "access_token_secret")
            own = {name: key for name, key in app(seed, network).items() if name in SIGNED}
            return own | {"access_token": mine, "access_token_secret": secret}
        case (
            "facebook" | "mastodon" | "instagram" | "threads" | "linkedin" | "google_business" | "pinterest" | "reddit"
        ):
            return {"access_token": token(seed, network, account)}
        case "telegram":
            return {"token": token(seed, network, account)}
        case "discord":
            return {"webhook": f"https://discord.com/api/webhooks/{hook(seed, account)}"}
        case "webhook":
            return {"secret": f"whsec_{base64.b64encode(draw(seed, network, account, 'secret').encode()).decode()}"}
        case "bluesky":
            return {"app_password": draw(seed, network, account, "app password")}
        case "wordpress":
            return {"app_password": token(seed, network, account)}
        case _:
            return {}


def settings(url: str, seed: str, network: str, account: str) -> dict[str, str]:
    """The settings of an account that are no secrets, for a sandbox at ``url``."""
    if network == "webhook":
        return {"url": f"{url}/webhook/{account}", "deduplicates": "true"}
    if network not in OWN:
        return {}
    web = {"web_base": f"{url}/web/{network}"} if network in WEB else {}
    return {"api_base": f"{url}/{network}"} | web | OWN[network](url, number(seed, network, account), account)


@dataclass(frozen=True, slots=True)
class Registration:
    """What an account's table says whose tokens come by ``reverberate connect``.

    Attributes:
        settings: what is no secret.
        secrets: the app's.
        vault: the names of what signing in fills.
    """

    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    vault: Sequence[str]


def registration(url: str, seed: str, network: str, account: str, *, signed: bool = True) -> Registration:
    """An account of a sandbox at ``url`` that is to be connected; on X with OAuth 1.0a (``signed``), or with OAuth 2."""
    plain, keys = settings(url, seed, network, account), app(seed, network)
    if network == "twitter":
        keys = {name: key for name, key in keys.items() if name in (SIGNED if signed else BEARER)}
    elif network == "wordpress":
        del plain["user"]  # with one, it is a site of one's own
    plain |= {"sign_in_base": f"{url}/{network}"} if keys else {}
    plain |= {"client_id": keys["client_id"]} if "client_id" in keys else {}
    keys = {name: key for name, key in keys.items() if name != "client_id"}
    if keys or network == "mastodon":
        return Registration(
            plain, keys, ("access_token", *(("access_token_secret",) if "consumer_key" in keys else ()))
        )
    return Registration(plain, keys, tuple(credentials(seed, network, account)))


WEB = frozenset({"twitter", "bluesky", "linkedin", "telegram", "discord", "reddit", "tumblr", "pinterest"})
"""Their clients make permalinks themselves."""
OWN: Mapping[str, Callable[[str, str, str], dict[str, str]]] = {
    "twitter": lambda _url, _number, account: {"username": account},
    "facebook": lambda _url, number, _account: {"page_id": number},
    "instagram": lambda _url, number, _account: {"user_id": number},
    "threads": lambda _url, _number, _account: {},
    "linkedin": lambda _url, number, _account: {"author": f"urn:li:organization:{number}"},
    "google_business": lambda _url, number, _account: {"account": number, "location": number},
    "mastodon": lambda url, _number, _account: {"instance": url},
    "bluesky": lambda _url, _number, account: {"handle": f"{account}.{DOMAIN}"},
    "wordpress": lambda url, _number, account: {"site": f"{url}/web/wordpress", "user": account},
    "telegram": lambda _url, number, _account: {"chat": f"-100{number}"},
    "discord": lambda _url, _number, _account: {},
    "pinterest": lambda _url, number, _account: {"board_id": number},
    "reddit": lambda _url, _number, _account: {"subreddit": "sandbox"},
    "tumblr": lambda _url, _number, account: {"blog": account},
}
"""What an account's settings say beside where its network is: by the sandbox's address, the account's number and name."""
