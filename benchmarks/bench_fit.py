"""Fitting one post for twelve networks with the shipped templates; and what Jinja alone takes for the same."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reverberate.model import Post
from reverberate.rendering import Renderer, Voice, templates
from reverberate.text.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = ("twitter", "mastodon", "bluesky", "facebook", "threads", "linkedin")
MORE = ("telegram", "discord", "tumblr", "pinterest", "reddit", "instagram")
POST = Post(
    url="https://blog.example.org/2026/on-the-habit-of-writing",
    title="On the habit of writing every day, and what it does to you",
    summary="Writing is thinking with a memory. " * 12,
    text="Writing is thinking with a memory. " * 120,
    tags=("machine learning", "open web", "writing", "habits", "memory"),
)
ROUNDS = 30


def median(work: Callable[[], object]) -> float:
    """Milliseconds of one round."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    renderer = Renderer([], zone=ZoneInfo("Europe/Berlin"))
    voices = [Voice(account=name, network=name, limit=LIMITS[name], card=name == "bluesky") for name in NETWORKS + MORE]
    fitted = median(lambda: [renderer.draft(POST, voice) for voice in voices])
    source = "{{ post.title }}\n\n{{ post.summary }}\n{{ post.url }}"
    given = {"source": source, "zone": "UTC", "post": {"title": "t", "summary": "s", "url": "u"}, "account": {}}
    bare = median(lambda: [templates.render(given) for _ in voices])
    sys.stdout.write(f"fitting for {len(voices)} networks: {fitted:.2f} ms; Jinja alone: {bare:.2f} ms\n")


if __name__ == "__main__":
    main()
