"""Mastodon's entities, whole: every property that its description requires, empty where the sandbox keeps nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reverberate.sandbox import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGAN = "2026-01-01T00:00:00.000Z"
VERSION, API_VERSION = "4.7.2", 7
PICTURES = ["image/jpeg", "image/png", "image/gif", "image/webp"]
MEGABYTE = 1024 * 1024


def account(name: str, *, number: str, base: str) -> dict[str, Any]:
    """Account: as others see it."""
    page, pictures = f"{base}/web/mastodon/@{quote(name)}", ("avatar", "avatar_static", "header", "header_static")
    counts = dict.fromkeys(("followers_count", "following_count", "statuses_count"), 0)
    flags = dict.fromkeys(("bot", "group", "indexable", "locked"), False)
    names = {"id": number, "username": name, "acct": name, "display_name": name, "note": "", "created_at": BEGAN}
    shown = dict.fromkeys(pictures, f"{base}/web/mastodon/missing.png")
    return names | {"url": page, "uri": page, "emojis": [], "fields": []} | counts | flags | shown


def own_account(name: str, *, number: str, base: str) -> dict[str, Any]:
    """CredentialAccount: as its owner sees it."""
    source = {"fields": [], "follow_requests_count": 0, "indexable": False, "note": "", "sensitive": False}
    role = {"id": "-99", "name": "", "color": "", "highlighted": False, "permissions": "0"}
    return account(name, number=number, base=base) | {"source": source | {"privacy": "public"}, "role": role}


def application() -> dict[str, Any]:
    """Application: the one that every token of the sandbox belongs to."""
    nowhere = "urn:ietf:wg:oauth:2.0:oob"
    about = {"id": "1", "name": "sandbox", "website": None, "vapid_key": ""}
    return about | {"scopes": ["read", "write"], "redirect_uri": nowhere, "redirect_uris": [nowhere]}


def status(author: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Status: what the sandbox tells of it, and nobody's answer, boost or favour."""
    lists: dict[str, list[Any]] = {name: [] for name in ("emojis", "media_attachments", "mentions", "tags")}
    counts = dict.fromkeys(("favourites_count", "reblogs_count", "replies_count"), 0)
    return {"account": author, "sensitive": False} | lists | counts | dict(told)


def media(number: str, *, url: str, words: str) -> dict[str, Any]:
    """MediaAttachment: a picture."""
    places = {"url": url, "preview_url": url, "remote_url": None}
    return {"id": number, "type": "image", "description": words or None, "blurhash": None, "meta": {}} | places


def instance(*, max_characters: int, link: int, base: str) -> dict[str, Any]:
    """Instance, as version 2 of the API has it."""
    return {
        **_about(),
        "domain": keys.DOMAIN,
        "source_url": f"https://{keys.DOMAIN}/source",
        "usage": {"users": {"active_month": 0}},
        "thumbnail": {"url": f"{base}/web/mastodon/missing.png"},
        "icon": [],
        "configuration": {**_configuration(max_characters, link), "urls": {}, "translation": {"enabled": False}},
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "api_versions": {"mastodon": API_VERSION},
        "contact": {"email": f"admin@{keys.DOMAIN}", "account": None},
    }


def instance_v1(*, max_characters: int, link: int) -> dict[str, Any]:
    """V1::Instance, which older servers and Mastodon's kin still tell."""
    return {
        **_about(),
        "uri": keys.DOMAIN,
        "short_description": "",
        "email": f"admin@{keys.DOMAIN}",
        "urls": {"streaming_api": f"wss://{keys.DOMAIN}"},
        "stats": {"user_count": 0, "status_count": 0, "domain_count": 0},
        "configuration": _configuration(max_characters, link),
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
    }


def _about() -> dict[str, Any]:
    return {"title": "Sandbox", "version": VERSION, "description": "", "languages": ["en"], "rules": []}


def _configuration(max_characters: int, link: int) -> dict[str, Any]:
    statuses = {"max_characters": max_characters, "max_media_attachments": 4, "characters_reserved_per_url": link}
    expiration = {"min_expiration": 300, "max_expiration": 30 * 86400}
    pictures = {"image_size_limit": 16 * MEGABYTE, "image_matrix_limit": 32 * MEGABYTE}
    films = {"video_size_limit": 99 * MEGABYTE, "video_matrix_limit": 8 * MEGABYTE, "video_frame_rate_limit": 120}
    return {
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": statuses,
        "media_attachments": {"supported_mime_types": PICTURES, **pictures, **films},
        "polls": {"max_options": 4, "max_characters_per_option": 50, **expiration},
    }
