"""What every source shares: a source looks at its place and tells which posts are there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping  # noqa: TC003 - a dataclass field's type
from dataclasses import dataclass, field
from datetime import timedelta  # noqa: TC003 - as above
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from reverberate.model import Post  # noqa: TC001 - as above


class SourceSettings(BaseModel):
    """A source's own keys in its table of the config."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a source brought.

    Attributes:
        posts: the posts that are there now, oldest first; empty when ``unchanged``.
        memory: what the source wants to be told at its next look (an ETag, say); strings only, stored as they are.
        unchanged: the source said that nothing changed (HTTP 304).
        wait: the source's own word on when to come again, as a lower bound.
        notes: oddities for people, one line each (entries that had to be left out, and why).
    """

    posts: tuple[Post, ...] = ()
    memory: Mapping[str, str] = field(default_factory=dict)
    unchanged: bool = False
    wait: timedelta | None = None
    notes: tuple[str, ...] = ()


class Source(ABC):
    """One configured source, ready to be looked at."""

    kind: ClassVar[str]
    Settings: ClassVar[type[SourceSettings]]

    def __init__(self, name: str, settings: SourceSettings) -> None:
        self.name = name
        self.settings: Any = settings  # a plug-in annotates its own type

    @abstractmethod
    def look(self, memory: Mapping[str, str]) -> Look:
        """Look once, within the source's own limits of time and size.

        Args:
            memory: what the last look left behind; empty at the first.

        Raises:
            SourceError: it cannot be read now; one line that says what, where and what to do.
        """
