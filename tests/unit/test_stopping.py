"""All parts of a process are told at once and share one deadline; a process that hangs even so leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from reverberate.stopping import Stopping

if TYPE_CHECKING:
    from pathlib import Path


def test_each_part_is_told_once_whoever_begins_and_however_often() -> None:
    told: list[str] = []
    stopping = Stopping()
    stopping.tell(lambda: told.append("early"))
    stopping.begin()
    stopping.begin()
    stopping.tell(lambda: told.append("late"))

    assert told == ["early", "late"]
    assert stopping.begun.is_set()


def test_all_that_hang_share_one_deadline() -> None:
    release = threading.Event()
    hanging = [threading.Thread(target=release.wait, args=(10,)) for _ in range(5)]
    for thread in hanging:
        thread.start()
    began = time.monotonic()
    stopping = Stopping(0.3)
    with stopping.awaits(*hanging[:2]), stopping.awaits(*hanging[2:]):
        pass
    took = time.monotonic() - began
    release.set()
    for thread in hanging:
        thread.join()

    assert 0.3 <= took < 1.2


def test_what_ends_in_time_is_waited_for() -> None:
    ended: list[int] = []
    stopping = Stopping(10)

    def end() -> None:
        stopping.begun.wait()
        time.sleep(0.1)
        ended.append(1)

    thread = threading.Thread(target=end)
    thread.start()
    with stopping.awaits(thread):
        pass

    assert ended == [1]


HANGS = """
import sys, threading
from reverberate.stopping import Stopping

stopping = Stopping(0.1)
stopping.lasts.append(lambda: print("last", flush=True))
stopping.tell(lambda: print("told", flush=True))
stopping.heed_signals(leave=0.3)
print("ready", flush=True)
with threading.Lock() as held:
    {hang}
"""


def hung(hang: str) -> tuple[int, str, float]:
    """How a process that hangs so ends after a signal: its status, what it said, and the seconds it took."""
    code = HANGS.format(hang=hang)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        return process.wait(10), said, time.monotonic() - began


def test_a_process_whose_main_thread_hangs_leaves_by_force() -> None:
    status, said, took = hung("threading.Event().wait()")

    assert (status, said) == (1, "told\nlast\n")
    assert 0.3 <= took < 2


def test_a_thread_that_hangs_keeps_no_process_that_has_ended_its_work() -> None:
    hang = "threading.Thread(target=threading.Event().wait).start(); stopping.begun.wait()"
    status, said, took = hung(hang)

    assert (status, said) == (1, "told\nlast\n")
    assert 0.3 <= took < 2


def test_the_signal_is_heard_while_the_main_thread_waits_for_a_locked_database(tmp_path: Path) -> None:
    """SQLite's own wait, which goes back to no Python in between."""
    connect = f"sqlite3.connect({str(tmp_path / 'db')!r}, timeout=30).execute('BEGIN IMMEDIATE')"
    status, said, took = hung(f"import sqlite3; first = {connect}; {connect}")

    assert (status, said) == (1, "told\nlast\n")
    assert 0.3 <= took < 2
