"""The tables ``[notices.NAME]``: where notices go, and what about."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from reverberate.alerts import KINDS
from reverberate.config_tables import Duration, Table
from reverberate.secrets import Secret  # noqa: TC001 - pydantic resolves annotations


def _kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"there is no kind {kind!r} (known are: {', '.join(KINDS)})")
    return kinds


class NoticeTable(Table):
    """What every channel may say."""

    on: Annotated[tuple[str, ...], AfterValidator(_kinds)] = Field(
        default=tuple(KINDS), description=f"What to tell of: {', '.join(KINDS)}."
    )
    gather: Duration = Field(default=timedelta(seconds=20), description="How long to wait for more of the same.")
    every: Duration = Field(default=timedelta(minutes=15), description="At least so long between two notices.")


class EmailTable(NoticeTable):
    """Notices by e-mail."""

    type: Literal["email"]
    host: str = Field(min_length=1, description="The mail server.")
    port: int | None = Field(default=None, ge=1, le=65535, description="587, 465 for tls, 25 for none, by default.")
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How the way there is kept.")
    ca: str = Field(default="", description="A file with the certificate to trust, for a server of your own.")
    username: str = Field(default="", description="To sign in with.")
    password: Secret | None = Field(default=None, description="To sign in with.")
    sender: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$", description="Whom they come from.")
    to: tuple[Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")], ...] = Field(
        min_length=1, description="Whom they go to."
    )

    @model_validator(mode="after")
    def _kept(self) -> EmailTable:
        if self.password is not None and self.security == "none":
            raise ValueError('a password needs security = "starttls" or "tls"')
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password go together")
        return self


class WebhookTable(NoticeTable):
    """Notices to an address of your own, signed as Standard Webhooks says."""

    type: Literal["webhook"]
    url: str = Field(pattern=r"^https?://\S+$", description="Where they are sent.")
    secret: Secret = Field(description="whsec_ and 24 to 64 bytes in base64; the receiver checks signatures with it.")


class AppriseTable(NoticeTable):
    """Notices through the library apprise: about a hundred services, by address."""

    type: Literal["apprise"]
    url: Secret = Field(description="An address as apprise takes it, which holds the service's secrets.")


AnyNotice: TypeAlias = EmailTable | WebhookTable | AppriseTable
TABLES: dict[str, type[EmailTable | WebhookTable | AppriseTable]] = {
    "email": EmailTable,
    "webhook": WebhookTable,
    "apprise": AppriseTable,
}
