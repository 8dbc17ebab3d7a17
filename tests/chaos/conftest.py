"""The storms go first, for they take longest, mostly waiting; the figures come last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaos import figures
from reverberate.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.terminal import TerminalReporter


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its schema and nothing else, to be copied: making one takes longer than a short life."""
    path = tmp_path_factory.mktemp("empty") / "r.db"
    Store(f"sqlite:///{path}").close()
    return path


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: ("storm" not in item.keywords, item.path.name != "test_chaos.py"))


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # not in xdist's own processes
        figures.FILE.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    for line in figures.table():
        terminalreporter.write_line(line)
