"""The demo whose accounts are not signed in: it waits for whoever looks on."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.processes import PROGRAM, environment, run
from support.signing import agreed, asking
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.redis
ACCOUNTS = ("twitter", "page", "fedi")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, "demo", "--connect", "--json", "--folder", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        cwd=tmp_path,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_shares_wait_and_follow_as_the_accounts_are_signed_in(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    config = tmp_path / "demo" / "reverberate.toml"
    until(lambda: waiting(config) == set(ACCOUNTS), 40)
    for name in ACCOUNTS:
        with asking(config, name, "--no-browser") as command:
            requests.get(agreed(command.address, name=name), timeout=10)
            status, out, told = command.ended()
            assert (status, out.startswith(f"{name} is connected")) == (0, True), told
    assert demo.stdout is not None
    text = ""
    while not text.endswith("]\n"):
        line = demo.stdout.readline()
        assert line, text
        text += line

    states = {row["account"]: row["state"] for row in json.loads(text)}
    assert states == {"twitter": "sent", "page": "sent", "fedi": "sent", "sky": "sent", "plus": "skipped"}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=12) == 0


def waiting(config: Path) -> set[str]:
    if not config.exists():
        return set()
    rows: list[dict[str, Any]] = json.loads(run(config, "accounts", "--json").stdout or "[]")
    return {row["name"] for row in rows if "connect" in (row["why"] or "")}
