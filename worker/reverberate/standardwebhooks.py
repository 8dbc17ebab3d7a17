"""Standard Webhooks: the secret, and the headers of a signed message. Source: standardwebhooks.com, specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

PREFIX = "whsec_"
MAKE_ONE = 'echo "whsec_$(openssl rand -base64 32)"'


def signing_key(secret: str) -> bytes:
    """The bytes of a ``whsec_`` secret.

    Raises:
        ValueError: it is none; the text does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            f"the signing secret of a webhook is whsec_ and 24 to 64 bytes in base64, as {MAKE_ONE} makes one"
        )
    return key


def signed(key: bytes, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers; the id is the same at every try, the time is that of this one, for receivers refuse old ones."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}
