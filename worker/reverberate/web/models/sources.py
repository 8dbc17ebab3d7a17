"""Sources, and how their looks went."""

from __future__ import annotations

from reverberate.web.models.base import Out


class SourceOut(Out):
    """A source, and how its last look went."""

    name: str
    looked: str | None
    next_look: str | None
    failures: int
    trouble: str


class LookedOut(Out):
    """What one look at a source came to."""

    source: str
    seen: int
    new: int
    unchanged: bool
    baseline: bool
    notes: list[str]
    trouble: str
