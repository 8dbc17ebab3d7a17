"""A camera's JPEG of 4000 by 3000 pixels made into what networks take: time and memory.

Each rule is tried in a process of its own, so that its peak of memory is seen, and through the confined child.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverberate.pictures import CARD_RULES, RULES, drawn, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.pictures import PictureRule

TIMES = 7
MOST_SECONDS, MOST_MEGABYTES = 0.6, 150
WHOLE = replace(CARD_RULES["bluesky"], max_width=4000, max_height=4000)
RULES_TRIED = {
    "bluesky, card (1200 px, 1 MB)": CARD_RULES["bluesky"],
    "bluesky, attached (2000 px, 2 MB)": RULES["bluesky"],
    "mastodon (as it is, 16 MiB)": RULES["mastodon"],
    "4000 px into 1 MB": WHOLE,
}


def photograph() -> bytes:
    """Soft shapes under sensor noise: what a camera gives, and harder to pack than most."""
    from PIL import Image, ImageChops

    soft = Image.effect_mandelbrot((1000, 750), (-2.2, -1.3, 1.2, 1.3), 90).resize((4000, 3000))
    noise = [Image.effect_noise((4000, 3000), sigma) for sigma in (22, 18, 26)]
    picture = Image.merge("RGB", [ImageChops.add(soft, layer, scale=2) for layer in noise])
    target = BytesIO()
    picture.save(target, format="JPEG", quality=92)
    return target.getvalue()


def seconds(work: Callable[[], Any]) -> float:
    """The median of several runs, after one that warms up."""
    work()
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def alone(data: bytes, name: str) -> tuple[float, float, int]:
    """Seconds, megabytes at the peak, and bytes of the result, in a fresh process."""
    command = [sys.executable, __file__, name]
    told = subprocess.run(command, input=data, capture_output=True, check=True).stdout.split()
    return float(told[0]), float(told[1]), int(told[2])


def measure(rule: PictureRule) -> None:
    """What the fresh process does: one picture, once."""
    from reverberate.pictures.recode import recode

    data = sys.stdin.buffer.read()
    began = time.perf_counter()
    made = recode(data, rule)
    took = time.perf_counter() - began
    sys.stdout.write(f"{took} {peak()} {len(made.data)}\n")


def peak() -> float:
    """Megabytes at most in use since this program began; getrusage would count the parent's, from before."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def main() -> int:
    """Measure and print; 1 if a promise is broken."""
    data = photograph()
    sys.stdout.write(f"a JPEG of 4000 by 3000 pixels, {len(data):,} bytes\n")
    failed = False
    for name, rule in RULES_TRIED.items():
        took, most, size = alone(data, name)
        confined = seconds(lambda rule=rule: prepare(data, rule))
        failed |= took > MOST_SECONDS or most > MOST_MEGABYTES or size > rule.max_bytes
        sys.stdout.write(f"{name:36} {took * 1000:6.0f} ms  {most:4.0f} MB at the peak  {size:>10,} bytes")
        sys.stdout.write(f"  {confined * 1000:6.0f} ms through the confined child\n")
    card = seconds(lambda: drawn("A title of a post", "A blog"))
    sys.stdout.write(f"{'a share card':36} {card * 1000:6.0f} ms\n")
    return int(failed)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(RULES_TRIED[sys.argv[1]])
    else:
        sys.exit(main())
