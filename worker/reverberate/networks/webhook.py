"""Your own program, or an automation service, told by Standard Webhooks. Source: standardwebhooks.com, specification.

The request's ``webhook-id`` is the share's own key and the same at every attempt, so a receiver that keeps the
specification takes it once. Whether yours does, only you know: say so with ``deduplicates``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field

from reverberate.errors import Outcome, Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.base import Network, NetworkSettings
from reverberate.networks.flows import Ask, PasteFlow
from reverberate.secrets import Secret
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

    from reverberate.model import Delivery, Picture

PREFIX = "whsec_"
UNUSABLE = {401, 403, 404, 405, 410}
"""The receiver is gone or does not know us: no message is at fault, and 410 is how one says farewell."""


class WebhookSettings(NetworkSettings):
    """One receiver."""

    url: Secret | str = Field(description="Where to; by reference where whoever knows the address may post there.")
    secret: Secret = Field(description="The signing secret: whsec_ and 24 to 64 bytes in base64.")
    deduplicates: bool = Field(default=False, description="Whether the receiver ignores a webhook-id that it knows.")


class Webhook(Network):
    """Sends the message as JSON, signed. It cannot be asked what it holds."""

    name, title, assurance = "webhook", "Webhook", Assurance.BLIND
    limit, Settings = LIMITS["webhook"], WebhookSettings
    card, carries = True, frozenset({"attach"})  # the link is a field of its own
    settings: WebhookSettings

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:
        """See Network."""
        return DeduplicatingWebhook if getattr(settings, "deduplicates", False) else cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """See Network."""
        return Webhook, DeduplicatingWebhook

    @classmethod
    def flow(cls, settings: NetworkSettings) -> PasteFlow:  # noqa: ARG003 - the same for all
        """See Connects."""
        asks = (Ask(setting="secret", label="The signing secret"),)
        return PasteFlow(where='your receiver, or make one: echo "whsec_$(openssl rand -base64 32)"', asks=asks)

    def send(self, delivery: Delivery) -> Receipt:
        """See Network. The receiver's answer is a status; what it names its copy is its own matter."""
        self._tell("post.shared", delivery.key, _shown(delivery), at=delivery.planned)
        return Receipt(remote_id=delivery.key)

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """See Edits: the receiver is told what the post says now, under an id made of that."""
        shown = _shown(delivery) | {"key": receipt.remote_id}
        digest = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
        self._tell("post.edited", f"{receipt.remote_id}-{digest}", shown, at=self.now())
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:  # noqa: ARG002 - the receipt says it all
        """See Deletes: the receiver is told so."""
        self._tell("post.deleted", f"{receipt.remote_id}-deleted", {"key": receipt.remote_id}, at=self.now())

    def verify(self) -> Standing:
        """See Verifies: whether anybody answers there, and the secret is one; nothing is posted."""
        self._key()
        answer = self.session.request("HEAD", self._url(), allow_redirects=False)
        note = f"answers {answer.status_code} when asked without a message; only a share shows whether it takes them"
        return Standing(who=urlsplit(self._url()).netloc, notes=(note,))

    def outcome(self, response: requests.Response, *, writes: bool) -> Outcome:
        """See Network."""
        if response.status_code in UNUSABLE:
            return Unauthorised(self.words(response), status=response.status_code)
        return super().outcome(response, writes=writes)

    def _tell(self, kind: str, message_id: str, data: Mapping[str, Any], *, at: datetime) -> None:
        """One event of that time. The signature's time is the attempt's own, for receivers refuse old ones."""
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False).encode()
        stamp = str(int(self.now().timestamp()))
        headers = {"webhook-id": message_id, "webhook-timestamp": stamp, "Content-Type": "application/json"}
        headers["webhook-signature"] = signature(self._key(), message_id, stamp, body)
        self.call("POST", self._url(), data=body, headers=headers)

    def _url(self) -> str:
        return self.settings.url.reveal() if isinstance(self.settings.url, Secret) else self.settings.url

    def _key(self) -> bytes:
        try:
            prefix, key = self.settings.secret.reveal().split("_", 1)
            if f"{prefix}_" == PREFIX:
                return base64.b64decode(key, validate=True)
        except (ValueError, binascii.Error):
            pass
        raise Unauthorised(
            "the signing secret is none: it is whsec_ and base64, as in `whsec_$(openssl rand -base64 32)`"
        )


class DeduplicatingWebhook(Webhook):
    """The receiver ignores an id that it knows: the same again is harmless, for as long as we may try."""

    title, assurance = "Webhook that deduplicates", Assurance.IDENTITY


def signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    """The header ``webhook-signature``: version 1, HMAC-SHA256 over id, time and body."""
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _shown(delivery: Delivery) -> dict[str, Any]:
    """The message as receivers get it: the same bytes at each attempt."""
    message = delivery.message
    card = message.card
    return {
        "key": delivery.key,
        "text": message.text,
        "link": message.link,
        "title": card.title if card else "",
        "summary": card.description if card else "",
        "language": message.language,
        "pictures": [_picture(delivery, picture) for picture in message.pictures],
    }


def _picture(delivery: Delivery, picture: Picture) -> dict[str, Any]:
    """A picture, and where it can be fetched; "" without a ``public_url``."""
    told = {"url": delivery.address(picture.digest), "type": picture.mime, "alt": picture.alt}
    return told | {"width": picture.width, "height": picture.height}
