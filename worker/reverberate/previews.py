"""What an account would make of a post, as plain values: for people, for programs, for a page."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from reverberate.errors import ReverberateError
from reverberate.status import stamp
from reverberate.text.count import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.model import Message, Picture, Post
    from reverberate.rendering import Draft
    from reverberate.service import Service
    from reverberate.text.limits import Limit


def preview(service: Service, account: str, post: Post, *, pictures: bool = False) -> dict[str, Any]:
    """What would be sent, counted; and whether, when, and why so; with ``pictures`` they are fetched and prepared.

    Raises:
        ReverberateError: there is no such account.
    """
    kind = service.accounts.kind(account)
    row: dict[str, Any] = {"account": account, "network": kind.name, "title": kind.title, "state": "scheduled"}
    row |= {"reason": "", "due": "", "template": "", "fits": False, "problem": "", "notes": [], "layers": []}
    row |= {"parts": [], "card": None}
    kept: dict[str, bytes] = {}

    def keep(picture: Picture, data: bytes) -> None:
        kept[picture.digest] = data

    try:
        draft, limit = service.accounts.preview(account, post, keep if pictures else None)
        row |= _drawn(draft, limit, kept) | _planned(service, account, post)
    except ReverberateError as error:
        row |= {"problem": str(error), "state": "held", "reason": str(error)}
    return row | {"state": "skipped", "reason": kind.retired, "problem": ""} if kind.retired else row


def _planned(service: Service, account: str, post: Post) -> dict[str, Any]:
    planned = service.planned(post, account)
    layers = [list(layer) for layer in service.accounts.layers(account, post)]
    return {"state": planned.state.value, "reason": planned.reason, "due": stamp(planned.due) or "", "layers": layers}


def _drawn(draft: Draft, limit: Limit, kept: Mapping[str, bytes]) -> dict[str, Any]:
    message = draft.message
    card = message.card
    return {
        "template": draft.template,
        "fits": not draft.problem,
        "problem": draft.problem,
        "notes": list(message.notes),
        "parts": [_part(message, number, limit, kept) for number in range(len(message.parts))],
        "card": card
        and {
            "part": message.carrier,
            "url": card.url,
            "title": card.title,
            "description": card.description,
            "image": card.picture and _image(card.picture, kept),
        },
    }


def _part(message: Message, number: int, limit: Limit, kept: Mapping[str, bytes]) -> dict[str, Any]:
    text = message.parts[number]
    counted = count(text, limit)
    return {
        "text": text,
        "count": counted,
        "limit": limit.maximum,
        "unit": limit.unit.value,
        "remaining": limit.maximum - counted,
        "images": [_image(one, kept) for one in message.pictures] if number == message.carrier else [],
    }


def _image(picture: Picture, kept: Mapping[str, bytes]) -> dict[str, Any]:
    data = b64encode(kept[picture.digest]).decode("ascii")
    told = {"alt": picture.alt, "width": picture.width, "height": picture.height, "bytes": picture.size}
    return told | {"mime": picture.mime, "data": f"data:{picture.mime};base64,{data}"}
