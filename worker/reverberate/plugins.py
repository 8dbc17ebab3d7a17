"""Plug-ins by entry point: named at once, imported when first used."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from reverberate.errors import ReverberateError

P = TypeVar("P")


class Plugins(Generic[P]):
    """The plug-ins of one group, by name."""

    def __init__(self, group: str, base: type[P], *, word: str) -> None:
        self._group, self._base, self._word = group, base, word
        self._loaded: dict[str, type[P]] = {}

    @cached_property
    def _points(self) -> dict[str, object]:
        return {point.name: point for point in entry_points(group=self._group)}

    def names(self) -> list[str]:
        """Every installed plug-in's name, sorted; imports none."""
        return sorted(self._points)

    def get(self, name: str) -> type[P]:
        """The plug-in class of that name.

        Raises:
            ReverberateError: there is none, or it cannot be loaded; the text says which and what was meant perhaps.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> type[P]:
        point = self._points.get(name)
        if point is None:
            near = get_close_matches(name, self.names(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.names())}"
            raise ReverberateError(f"unknown {self._word} {name!r}", hint=hint)
        try:
            found = point.load()  # type: ignore[attr-defined]  # an EntryPoint; its class differs between versions
        except Exception as error:  # whatever a stranger's module does on import must not stop the rest
            raise ReverberateError(f"the {self._word} {name!r} cannot be loaded: {error!r}") from error
        if not (isinstance(found, type) and issubclass(found, self._base)):
            raise ReverberateError(f"the {self._word} {name!r} is not a {self._base.__name__}")
        return found
