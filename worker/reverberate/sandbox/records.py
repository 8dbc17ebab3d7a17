"""Bluesky's records: what makes a post valid, and the identifier of its contents."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reverberate.text.count import fits
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

POST = "app.bsky.feed.post"
LIMIT = LIMITS["bluesky"]
KEY = re.compile(r"[234567abcdefghij][234567a-z]{12}")
"""A TID, which a post's record key must be."""
LARGEST_THUMB = 1_000_000
FEATURES = {
    "app.bsky.richtext.facet#link": "uri",
    "app.bsky.richtext.facet#mention": "did",
    "app.bsky.richtext.facet#tag": "tag",
}
JSON_CODEC, RAW_CODEC = 0x71, 0x55


def cid(contents: bytes, codec: int) -> str:
    """A CID (version 1, SHA-256). Of a blob it is the true one; of a record it is made from its JSON, not its CBOR."""
    multihash = bytes([1, codec, 0x12, 32]) + hashlib.sha256(contents).digest()
    return "b" + base64.b32encode(multihash).decode().lower().rstrip("=")


def record_cid(record: Any) -> str:
    """The same for the same record, whatever the order of its keys."""
    return cid(json.dumps(record, sort_keys=True, separators=(",", ":")).encode(), JSON_CODEC)


def blob_cid(contents: bytes) -> str:
    """The CID of a blob."""
    return cid(contents, RAW_CODEC)


def wrong_with(record: Any, *, blobs: Container[str]) -> str:
    """What makes a record no valid post; "" if it is one. ``blobs`` are those that were uploaded."""
    if not isinstance(record, dict):
        return "must be an object"
    if record.get("$type") != POST:
        return f"must have $type {POST!r}"
    checks = (_text(record), _created(record), _list_of_texts(record, "langs", 3), _list_of_texts(record, "tags", 8))
    return next((words for words in (*checks, _facets(record), _embed(record, blobs)) if words), "")


def _text(record: dict[str, Any]) -> str:
    text = record.get("text")
    if not isinstance(text, str):
        return 'must have the property "text"'
    if not fits(text, LIMIT):
        return f"grapheme too big (maximum {LIMIT.maximum}), or more than {LIMIT.max_bytes} bytes"
    return ""


def _created(record: dict[str, Any]) -> str:
    created = record.get("createdAt")
    try:
        return "" if datetime.fromisoformat(str(created)).tzinfo else "createdAt must have a time zone"
    except ValueError:
        return 'must have the property "createdAt", a datetime'


def _list_of_texts(record: dict[str, Any], name: str, most: int) -> str:
    given = record.get(name, [])
    if isinstance(given, list) and len(given) <= most and all(isinstance(one, str) for one in given):
        return ""
    return f"{name} must be a list of at most {most} texts"


def _facets(record: dict[str, Any]) -> str:
    facets = record.get("facets", [])
    if not isinstance(facets, list):
        return "facets must be a list"
    length = len(record["text"].encode()) if isinstance(record.get("text"), str) else 0
    return next((words for facet in facets if (words := _facet(facet, length))), "")


def _facet(facet: Any, length: int) -> str:
    index = facet.get("index") if isinstance(facet, dict) else None
    if not isinstance(index, dict) or not _within(index.get("byteStart"), index.get("byteEnd"), length):
        return "facets/index must lie in the text"
    features = facet.get("features")
    if not isinstance(features, list) or not features or not all(map(_is_feature, features)):
        return "facets/features must be links, mentions or tags"
    return ""


def _within(start: Any, end: Any, length: int) -> bool:
    return isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length


def _is_feature(feature: Any) -> bool:
    name = FEATURES.get(str(feature.get("$type", ""))) if isinstance(feature, dict) else None
    return name is not None and isinstance(feature.get(name), str)


def _embed(record: dict[str, Any], blobs: Container[str]) -> str:
    embed = record.get("embed", {})
    if not isinstance(embed, dict) or (embed and not isinstance(embed.get("$type"), str)):
        return "embed must be an object with a $type"
    external = embed.get("external", {})
    if embed.get("$type") == "app.bsky.embed.external" and not _is_card(external):
        return "embed/external must have uri, title and description"
    if any(one["size"] > LARGEST_THUMB for one in refs(external)):
        return f"embed/external/thumb must not be larger than {LARGEST_THUMB} bytes"
    missing = [one["cid"] for one in refs(embed) if one["cid"] not in blobs]
    return f"Could not find blob: {missing[0]}" if missing else ""


def _is_card(external: Any) -> bool:
    return isinstance(external, dict) and all(
        isinstance(external.get(name), str) for name in ("uri", "title", "description")
    )


def refs(value: Any) -> Iterator[dict[str, Any]]:
    """The ``cid`` and ``size`` of every blob that stands somewhere in a value."""
    if isinstance(value, dict):
        if value.get("$type") == "blob":
            reference, size = value.get("ref"), value.get("size")
            link = reference.get("$link") if isinstance(reference, dict) else None
            yield {"cid": str(link), "size": size if isinstance(size, int) else 0}
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)
