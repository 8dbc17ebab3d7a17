"""Commands of ours in this process, ended as ``main`` ends them: for tests of what they say, not of how they start."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from reverberate.cli import main
from support.processes import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def run(config: Path, *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> CompletedProcess[str]:
    """One command, to its end, with an environment and a working folder of its own; see processes.run."""
    command = ["reverberate", "--config", str(config), *arguments]
    out, err = _stream(), _stream()
    with (
        _same_log(),
        patch.dict(os.environ, environment(env), clear=True),
        chdir(config.parent),
        patch.object(sys, "argv", command),
        patch.object(sys, "stdin", _stream(stdin)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _status()
    return CompletedProcess(command, code, _text(out), _text(err))


def ask(config: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """The JSON that a command prints; it must end with 0."""
    done = run(config, *arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _status() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _stream(text: str = "") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _same_log() -> Iterator[None]:
    """A command sets up the log as it likes; afterwards it is as it was."""
    root, factory = logging.getLogger(), logging.getLogRecordFactory()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # else they are closed
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        logging.setLogRecordFactory(factory)
