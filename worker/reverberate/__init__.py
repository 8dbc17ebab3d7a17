"""Reverberate: publish once, and every account you own repeats it."""

from __future__ import annotations

__version__ = "0.1.0"
