"""What the worlds' store remembers, changeable."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from reverberate.model import Share

if TYPE_CHECKING:
    from datetime import datetime

    from reverberate.model import Receipt, ShareState

NAMES = tuple(one.name for one in fields(Share))


@dataclass
class Row:
    """One share; see ``model.Share``."""

    id: int
    post_id: int
    account: str
    slot: str
    state: ShareState
    wanted: datetime
    due: datetime
    wake: datetime | None
    key: str
    planned: datetime
    fence: int
    lease: datetime | None
    owner: str
    tries: int
    looks: int
    crashes: int
    first_try: datetime | None
    reason: str
    receipt: Receipt | None
    changed: datetime | None
    wall: datetime | None
    zone: str
    spread: int
    fixed: bool

    @classmethod
    def of(cls, share: Share) -> Row:
        """As the share is now."""
        return cls(**{name: getattr(share, name) for name in NAMES})

    def share(self) -> Share:
        """As it is now."""
        return Share(**vars(self))


@dataclass(slots=True)
class Intent:
    """An attempt in the journal."""

    share_id: int
    fence: int
    kind: str
    number: int
    started: datetime
    ended: datetime | None = None
    outcome: str = ""


@dataclass(slots=True)
class Standing:
    """What is remembered of an account."""

    paused: datetime | None = None
    rest_until: datetime | None = None
    failures: int = 0
    turns: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
