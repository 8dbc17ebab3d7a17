"""A share of 30 days ahead and the real processes, on a clock that libfaketime moves; their pollers deliver."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.sandbox import Sandbox
from support.blogger import SEED, Blogger, move_in
from support.processes import ask, run, running
from support.servers import free_port, missing
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = timedelta(days=30)


def later(by: timedelta) -> dict[str, str]:
    """The environment of a process whose clock is so far ahead; how long a second lasts stays as it is."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        missing("libfaketime (Debian: apt install faketime)")
    ahead = f"+{int(by.total_seconds())}"
    return {"LD_PRELOAD": str(libraries[0]), "FAKETIME": ahead, "DONT_FAKE_MONOTONIC": "1"}


@pytest.fixture
def blogger(tmp_path: Path) -> Iterator[Blogger]:
    with Sandbox(tmp_path / "sandbox", seed=SEED) as sandbox:
        service = ["[service]", f'listen = "127.0.0.1:{free_port()}"']
        yield move_in(tmp_path, sandbox, accounts={"ma": "mastodon"}, extra=service)


@pytest.mark.parametrize(
    ("late", "state", "reason"),
    [
        (timedelta(seconds=-3), "sent", ""),
        (timedelta(hours=6), "sent", r"sent 6 h 0\d min late: it could not be tried before"),
        (timedelta(days=2), "skipped", "it is 48 hours late, more than max_late allows; retry it if you still want it"),
    ],
    ids=["in time", "late", "too late"],
)
def test_a_share_of_30_days_ahead_is_sent_or_skipped_by_the_policy_and_told_either_way(
    blogger: Blogger, late: timedelta, state: str, reason: str
) -> None:
    due = datetime.now(UTC) + AHEAD
    done = run(blogger.config, "publish", str(blogger.post("First")), "--at", due.isoformat(), seconds=90)
    assert done.returncode == 0, done.stderr
    with running(blogger.config, "worker"), running(blogger.config, "dispatcher"):
        assert [share["state"] for share in ask(blogger.config, "shares")] == ["scheduled"]
    assert blogger.entries() == [], "a month too early"

    log = blogger.config.parent / "service.log"
    env = later(AHEAD + late)
    with running(blogger.config, "worker", env=env, log=log), running(blogger.config, "dispatcher", env=env, log=log):
        until(lambda: settled(blogger)["state"] == state, 90)

    share = settled(blogger)
    assert re.fullmatch(reason, share["reason"]), log.read_text()
    assert len(blogger.entries()) == (1 if state == "sent" else 0)
    told = run(blogger.config, "share", "show", str(share["id"]), seconds=90).stdout
    assert (share["reason"] or "receipt") in told


def settled(blogger: Blogger) -> dict[str, Any]:
    (share,) = ask(blogger.config, "shares")
    found: dict[str, Any] = share
    return found
