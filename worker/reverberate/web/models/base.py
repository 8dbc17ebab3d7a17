"""What the models are made of. What goes out may grow: a client must ignore what it does not know."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ACCOUNT = r"^[a-z0-9][a-z0-9_-]{0,62}$"
ADDRESS = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?#]\S*)?$"
EARLIEST, LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("this holds characters that no text has")
    return text


def _sensible(instant: datetime) -> datetime:
    if not EARLIEST <= (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) <= LATEST:
        raise ValueError("this is not in our time")
    return instant


Text = Annotated[str, AfterValidator(storable)]
Short = Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable)]
Address = Annotated[str, StringConstraints(max_length=2000, pattern=ADDRESS), AfterValidator(storable)]
Instant = Annotated[AwareDatetime, AfterValidator(_sensible)]
Wall = Annotated[datetime, AfterValidator(_sensible)]
"""A time with an offset, or without one on the site's clock."""
AccountName = Annotated[str, StringConstraints(pattern=ACCOUNT)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    model_config = ConfigDict(extra="allow")


class Wrong(Out):
    """What is wrong with a request, and where."""

    where: str
    words: str


class Trouble(Out):
    """RFC 9457: what went wrong, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    errors: list[Wrong] = []
