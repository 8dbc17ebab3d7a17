"""Counting 280 characters as X does; and what the package ``twitter-text-parser`` takes for the same, if it is there.

    pip install twitter-text-parser 'setuptools<81' && python benchmarks/bench_text.py

Ends with 1 if a target is missed.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING

from reverberate.text.count import count
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

ASCII = (
    "On the habit of writing: what a page a day does to your notes, your memory (and your mornings). Version 2.0, e.g. "
    "with notes.txt from @alice, is at https://blog.example.org/2026/on-the-habit-of-writing?from=x. Read it in ten "
    "minutes, or listen to it on your way. #writing #habits"
)
MIXED = (
    "毎日書くという習慣について🎉 記憶とメモと朝のこと👩‍👩‍👧‍👦 新しい記事を公開しました👍🏽 https://blog.example.org/2026/習慣 "
    "읽어 주세요 🇩🇪🇯🇵 1️⃣ ノートは書き手の記憶である。example.devにもあります🏳️‍🌈 "
)
TEXTS = {"ASCII": (ASCII.ljust(280, "!"), 25), "emoji and CJK": ((MIXED * 3)[:280], 120)}
"""Each with the microseconds it may take."""
AT_LEAST = 5.0
"""How many times as fast as the package counting has to be."""


def median(work: Callable[[], object], *, rounds: int) -> float:
    """Microseconds of one call."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def package() -> Callable[[str], object] | None:
    """The package's own way to count, if it can be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for pkg_resources, which warns
        try:
            from twitter_text import parse_tweet  # type: ignore[import-not-found]
        except ImportError as error:
            sys.stdout.write(f"twitter-text-parser cannot be imported ({error}): nothing to compare with\n")
            return None
    return lambda text: parse_tweet(text).asdict()["weightedLength"]


def main() -> int:
    """Measure, print, and say whether the targets are met."""
    met, theirs = True, package()
    for name, (text, target) in TEXTS.items():
        ours = median(lambda text=text: count(text, LIMITS["twitter"]), rounds=5000)
        line = f"{name}: {len(text)} characters in {ours:.1f} us (at most {target})"
        met &= ours < target
        if theirs:
            other = median(lambda text=text: theirs(text), rounds=200)
            line += f"; twitter-text-parser {other:.0f} us: {other / ours:.0f} times as fast (at least {AT_LEAST:.0f})"
            line += "" if theirs(text) == count(text, LIMITS["twitter"]) else "; the two disagree"
            met &= other / ours >= AT_LEAST
        sys.stdout.write(line + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
