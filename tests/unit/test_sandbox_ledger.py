"""The ledger: on disk before anything is answered, whole after a crash, and quick to search."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reverberate.sandbox import Entry, Ledger

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 12, 0, 0, 5000, tzinfo=UTC)


def entry(number: int, *, network: str = "mastodon", account: str = "alice", key: str = "") -> Entry:
    return Entry(
        at=f"2026-11-24T12:00:{number:02}.000Z",
        network=network,
        account=account,
        remote_id=str(number),
        permalink=f"http://127.0.0.1:1/web/{network}/{number}",
        text=f"Text {number} 🎉",
        key=key,
        details={"n": number},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ledger.jsonl"


def test_a_post_is_in_the_file_when_it_was_added(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add(entry(1))

    assert Ledger.read(path) == [entry(1)]
    assert json.loads(path.read_text())["text"] == "Text 1 🎉"
    ledger.close()


def test_it_is_on_the_disk_when_that_was_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_size))
    ledger = Ledger(path, fsync=True)
    ledger.add(entry(1))
    ledger.close()

    assert synced == [path.stat().st_size]


def test_nobody_reads_of_a_ledger_that_is_not_there(path: Path) -> None:
    assert Ledger.read(path) == []


def test_everything_is_there_again_after_a_restart(path: Path) -> None:
    first = Ledger(path)
    first.add(entry(1, key="k"))
    first.add(entry(2))
    first.edit(replace(entry(1, key="k"), text="Edited"), at=NOW)
    first.delete(entry(2), at=NOW)
    first.close()
    second = Ledger(path)

    assert [one.text for one in second.of()] == ["Edited"]
    assert second.accepted() == [entry(1, key="k"), entry(2)]
    assert second.under("mastodon", "alice", "k") == second.get("mastodon", "1")
    assert second.serial() == 2
    second.close()


def test_a_line_that_a_crash_cut_off_is_cut_away_and_the_next_begins_anew(path: Path) -> None:
    first = Ledger(path)
    first.add(entry(1))
    first.close()
    with path.open("a") as file:
        file.write('{"at": "2026-11-24T1')
    assert Ledger.read(path) == [entry(1)]
    second = Ledger(path)
    second.add(entry(2))
    second.close()

    assert Ledger.read(path) == [entry(1), entry(2)]


def test_listings_are_newest_first_by_network_and_account(path: Path) -> None:
    ledger = Ledger(path)
    for one in (entry(1), entry(2, account="bob"), entry(3), entry(4, network="twitter")):
        ledger.add(one)

    assert [one.remote_id for one in ledger.of()] == ["4", "3", "2", "1"]
    assert [one.remote_id for one in ledger.of("mastodon")] == ["3", "2", "1"]
    assert [one.remote_id for one in ledger.of("mastodon", "alice")] == ["3", "1"]
    assert [one.remote_id for one in ledger.newest("mastodon", "", most=1)] == ["3"]
    assert [one.remote_id for one in ledger.newest("mastodon", "", most=9, where=lambda e: e.text != "Text 2 🎉")] == [
        "3",
        "1",
    ]
    assert ledger.of("mastodon", "carol") == []
    ledger.close()


def test_what_was_deleted_is_found_no_more_and_stays_accepted(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add(entry(1, key="k"))
    ledger.delete(entry(1), at=NOW)
    ledger.delete(entry(1), at=NOW)

    assert ledger.get("mastodon", "1") is None
    assert ledger.under("mastodon", "alice", "k") is None
    assert ledger.at("/web/mastodon/1") is None
    assert ledger.of() == []
    assert Ledger.read(path) == [entry(1, key="k")]
    ledger.close()


def test_what_was_deleted_can_be_posted_again_under_the_same_id(path: Path) -> None:
    """Bluesky's clients choose the id."""
    ledger = Ledger(path)
    ledger.add(entry(1))
    ledger.add(entry(2))
    ledger.delete(entry(1), at=NOW)
    ledger.add(entry(1))

    assert [one.remote_id for one in ledger.of()] == ["1", "2"]
    assert len(ledger.accepted()) == 3
    ledger.close()


def test_a_post_is_found_by_its_page_wherever_the_sandbox_is_now(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add(entry(7))

    assert ledger.at("/web/mastodon/7") == entry(7)
    assert ledger.at("/web/mastodon/8") is None
    ledger.close()
