"""The real programs, as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = [sys.executable, "-m", "reverberate"]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment: nothing of the developer's own settings."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")
        if name in os.environ
    }
    return kept | {"COLUMNS": "200", "PYTHONWARNINGS": "default"} | dict(more or {})


def run(
    config: Path, *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "", seconds: float = 30
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*PROGRAM, "--config", str(config), *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=seconds,
        check=False,
        env=environment(env),
        cwd=config.parent,
    )


def ask(config: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """The JSON that a command prints; it must end with 0."""
    done = run(config, *arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def demo(home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The demo in a folder of its own, printing JSON, until it ends or the block does."""
    process = subprocess.Popen(
        [*PROGRAM, "demo", *options, "--json", "--folder", str(home / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        cwd=home,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def read_document(process: subprocess.Popen[str]) -> Any:
    """The JSON list at the beginning of what the process prints."""
    text = ""
    assert process.stdout is not None
    for line in process.stdout:
        text += line
        if line == "]\n":
            return json.loads(text)
    raise AssertionError(f"no document: {text}")


def started(
    config: Path, *arguments: str, env: Mapping[str, str] | None = None, log: Path | None = None
) -> subprocess.Popen[bytes]:
    """A command that runs beside us, in a session of its own."""
    with (log or Path(os.devnull)).open("ab") as out:
        return subprocess.Popen(
            [*PROGRAM, "--config", str(config), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(env),
            cwd=config.parent,
            start_new_session=True,
        )


@contextmanager
def running(
    config: Path, *arguments: str, env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until the block ends; then it must stop within ten seconds of being asked."""
    process = started(config, *arguments, env=env, log=log)
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=12)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def alive(pid: int) -> bool:
    """Whether there is such a process; one that has ended and waits for its parent's notice is none."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")
