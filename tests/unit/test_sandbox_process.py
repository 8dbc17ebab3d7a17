"""``python -m reverberate.sandbox``: a process of its own, which may be killed and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.sandbox import Ledger, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "reverberate.sandbox"]


@contextmanager
def started(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen([*PROGRAM, "--folder", str(folder), *more], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def post(url: str, text: str) -> int:
    token = {"Authorization": f"Bearer {credentials('seed', 'mastodon', 'alice')['access_token']}"}
    return requests.post(f"{url}/mastodon/api/v1/statuses", data={"status": text}, headers=token, timeout=5).status_code


def test_what_was_accepted_survives_a_kill(tmp_path: Path) -> None:
    with started(tmp_path, "--seed", "seed", "--fsync") as (process, told):
        assert post(told["url"], "First") == 200
        process.kill()
    port = told["url"].rsplit(":", 1)[1]
    with started(tmp_path, "--seed", "seed", "--port", port) as (_, again):
        assert again["url"] == told["url"]
        assert post(again["url"], "Second") == 200
        shown = requests.get(f"{again['url']}/ledger.json", timeout=5).json()

    assert [entry["text"] for entry in shown] == ["First", "Second"]
    assert [entry.text for entry in Ledger.read(tmp_path / "ledger.jsonl")] == ["First", "Second"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as (process, told), requests.Session() as session:  # a connection that stays open
        session.get(told["url"], timeout=5)
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_faults_a_limit_and_a_blog_can_be_asked_for(tmp_path: Path) -> None:
    options = ["--max-characters", "1000", "--fault", "fail:status=503,count=1", "--fault", '{"kind": "lag"}', "--blog"]
    with started(tmp_path, "--seed", "seed", *options) as (_, told):
        assert [post(told["url"], "x" * 1000), post(told["url"], "y" * 1000)] == [503, 200]
        assert [rule["kind"] for rule in requests.get(f"{told['url']}/faults", timeout=5).json()["rules"]] == [
            "fail",
            "lag",
        ]
        assert requests.get(f"{told['blog']}/feed.xml", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fault", "boom"], "the fault's kind cannot be 'boom'"),
        (["--fault", "drop:network=orkut"], "there is no network 'orkut' here (one of twitter, facebook"),
        (["--port", "1", "--host", "192.0.2.1"], "annot assign requested address"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(tmp_path: Path, options: list[str], words: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "--folder", str(tmp_path), *options], capture_output=True, text=True, timeout=20, check=False
    )

    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
