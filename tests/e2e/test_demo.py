"""What a newcomer sees first: the demo, as `make demo` runs it."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import requests

from support import processes
from support.processes import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.redis


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo, running until it is told to stop."""
    with processes.demo(tmp_path) as process:
        yield process


def test_the_demo_puts_one_post_on_every_account_and_stops_on_ctrl_c(demo: subprocess.Popen[str]) -> None:
    rows = processes.read_document(demo)

    states = {row["account"]: row["state"] for row in rows}
    assert states == {"twitter": "sent", "page": "sent", "fedi": "sent", "sky": "sent", "plus": "skipped"}
    for row in rows:
        if row["state"] == "sent":
            page = requests.get(row["permalink"], timeout=5)
            assert page.status_code == 200
            assert "Publish once, be heard everywhere" in page.text
            assert row["text"].count("Publish once, be heard everywhere") == 1
    (plus,) = [row for row in rows if row["account"] == "plus"]
    assert "Google Business Profile" in plus["reason"]

    began = time.monotonic()
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=12) == 0
    assert time.monotonic() - began < 10


def test_the_demo_once_ends_by_itself_with_0(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("sent") == 4
    assert done.stdout.count("skipped") == 1
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"
