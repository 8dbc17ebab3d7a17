"""What a run came to, in numbers: kept in ``build/chaos.json``, and shown as a table at its end."""

from __future__ import annotations

import fcntl
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.place import LOST

if TYPE_CHECKING:
    from chaos.judge import Judgement
    from chaos.storm import Storm

FILE = Path(__file__).parents[2] / "build" / "chaos.json"


def keep(name: str, figures: dict[str, Any]) -> None:
    """Put one test's figures beside those of the others, which may be running at the same time."""
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = json.loads(file.read() or "{}")
        file.truncate(0)
        json.dump(kept | {name: figures}, file, indent=1)


def of(storm: Storm, found: Judgement, *, calm: float, asked: int, seconds: float) -> dict[str, Any]:
    """One storm's figures."""
    happened, taken = storm.place.happened(), len(storm.place.accepted())
    lost = sum(happened.get(kind, 0) for kind in LOST) + storm.place.blind.lost
    return {
        "shares": sum(found.states.values()),
        "states": {str(state): number for state, number in sorted(found.states.items())},
        "unsure (blind): there, not there": [found.unsure[True], found.unsure[False]],
        "duplicates": found.duplicates,
        "lost": found.lost,
        "false": found.false,
        "kill -9": dict(sorted(storm.fleet.kills.items())),
        "stopped and continued": storm.fleet.sleeps,
        "Redis": dict(storm.redis),
        "answers lost after acceptance": f"{lost} of {taken} ({lost / max(taken, 1):.1%})",
        "refused or broken before acceptance": sum(happened.get(kind, 0) for kind in ("error", "cut-request")),
        "attempts to send": found.tries,
        "look-ups": found.looks,
        "settled by a person after three crashes": asked,
        "late, seconds: median, p99, most": [round(late, 2) for late in _late(found.late)],
        "seconds: storm, until rest, in all": [round(storm.weather.seconds), round(calm, 1), round(seconds, 1)],
    }


def _late(late: list[float]) -> tuple[float, float, float]:
    if len(late) < 2:
        return 0.0, 0.0, 0.0
    return statistics.median(late), statistics.quantiles(late, n=100)[98], max(late)


def table() -> list[str]:
    """All that is kept, as lines."""
    if not FILE.exists():
        return []
    lines: list[str] = []
    for name, figures in json.loads(FILE.read_text(encoding="utf-8")).items():
        lines += ["", name]
        lines += [f"  {what:<42} {_words(value)}" for what, value in figures.items()]
    return lines


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
