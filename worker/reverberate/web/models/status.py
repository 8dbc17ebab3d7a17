"""The one screen."""

from __future__ import annotations

from reverberate.web.models.accounts import AccountOut
from reverberate.web.models.base import Out
from reverberate.web.models.shares import ShareOut
from reverberate.web.models.sources import SourceOut


class NeedOut(Out):
    """What needs a hand, since when, why, and the command that mends it."""

    kind: str
    what: str
    since: str | None
    why: str
    mend: str


class StatusOut(Out):
    """One screen: what needs a hand, what comes next, what went last, and how all is."""

    version: str
    at: str
    lateness: float
    needs: list[NeedOut]
    next: list[ShareOut]
    last: list[ShareOut]
    accounts: list[AccountOut]
    sources: list[SourceOut]
