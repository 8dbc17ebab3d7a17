"""Your own program, or an automation service, told by Standard Webhooks. Source: standardwebhooks.com, specification.

The request's ``webhook-id`` is the share's own key and the same at every attempt, so a receiver that keeps the
specification takes it once. Whether yours does, only you know: say so with ``deduplicates``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field

from reverberate.errors import Unauthorised
from reverberate.model import Assurance, Receipt, Standing
from reverberate.networks.answers import Means
from reverberate.networks.base import Network, NetworkSettings
from reverberate.networks.flows import pasted
from reverberate.secrets import Secret
from reverberate.standardwebhooks import MAKE_ONE, signed, signing_key
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverberate.model import Delivery


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
    table = (Means(Unauthorised, {401, 403, 404, 405, 410}),)  # it is gone or does not know us; 410 is its farewell
    flow = pasted("secret", "The signing secret", where=f"your receiver, or make one: {MAKE_ONE}")

    @classmethod
    def way(cls, settings: NetworkSettings) -> type[Network]:
        """See Network."""
        return DeduplicatingWebhook if getattr(settings, "deduplicates", False) else cls

    @classmethod
    def ways(cls) -> tuple[type[Network], ...]:
        """See Network."""
        return Webhook, DeduplicatingWebhook

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

    def _tell(self, kind: str, message_id: str, data: Mapping[str, Any], *, at: datetime) -> None:
        """One event of that time."""
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **signed(self._key(), message_id, self.now(), body)}
        self.call("POST", self._url(), data=body, headers=headers)

    def _url(self) -> str:
        return self.settings.url.reveal() if isinstance(self.settings.url, Secret) else self.settings.url

    def _key(self) -> bytes:
        try:
            return signing_key(self.settings.secret.reveal())
        except ValueError as error:  # a missing secret is one too
            raise Unauthorised(str(error)) from None


class DeduplicatingWebhook(Webhook):
    """The receiver ignores an id that it knows: the same again is harmless, for as long as we may try."""

    title, assurance = "Webhook that deduplicates", Assurance.IDENTITY


def _shown(delivery: Delivery) -> dict[str, Any]:
    """The message as receivers get it: the same bytes at each attempt. A picture's url is "" without a ``public_url``."""
    message, url = delivery.message, delivery.address
    return {
        "key": delivery.key,
        "text": message.text,
        "link": message.link,
        "title": message.card.title if message.card else "",
        "summary": message.card.description if message.card else "",
        "language": message.language,
        "pictures": [
            {"url": url(one.digest), "type": one.mime, "alt": one.alt, "width": one.width, "height": one.height}
            for one in message.pictures
        ],
    }
