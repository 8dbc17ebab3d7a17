"""``python -m reverberate``."""

from __future__ import annotations

from reverberate.cli import main

main()
