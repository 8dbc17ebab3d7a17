"""The demo whose accounts are not signed in: it waits for whoever looks on."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.processes import demo, read_document, run
from support.signing import agreed, asking
from support.world import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.redis
ACCOUNTS = ("twitter", "page", "fedi")


def test_the_shares_wait_and_follow_as_the_accounts_are_signed_in(tmp_path: Path) -> None:
    config = tmp_path / "demo" / "reverberate.toml"
    with demo(tmp_path, "--connect") as process:
        until(lambda: waiting(config) == set(ACCOUNTS), 40)
        for name in ACCOUNTS:
            with asking(config, name, "--no-browser") as command:
                requests.get(agreed(command.address, name=name), timeout=10)
                status, out, told = command.ended()
                assert (status, out.startswith(f"{name} is connected")) == (0, True), told

        states = {row["account"]: row["state"] for row in read_document(process)}
        assert states == {"twitter": "sent", "page": "sent", "fedi": "sent", "sky": "sent", "plus": "skipped"}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0


def waiting(config: Path) -> set[str]:
    if not config.exists():
        return set()
    rows: list[dict[str, Any]] = json.loads(run(config, "accounts", "--json").stdout or "[]")
    return {row["name"] for row in rows if "connect" in (row["why"] or "")}
