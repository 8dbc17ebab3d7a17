"""What the commands share: the config they work on, and how they show what they found."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate import logs
from reverberate.errors import ReverberateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from reverberate.config import Config
    from reverberate.service import Service

FILE = "reverberate.toml"
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")]
STYLES = {
    "sent": "green",
    "scheduled": "cyan",
    "sending": "cyan",
    "held": "yellow",
    "unsure": "bold yellow",
    "refused": "bold red",
    "skipped": "dim",
    "cancelled": "dim",
}


@dataclass(frozen=True)
class Settings:
    """What the options before the command said."""

    path: Path

    def config(self) -> Config:
        """The config; raises ConfigError."""
        from reverberate.runtime import read_config

        loaded = read_config(self.path)
        if "REVERBERATE_LOG_FORMAT" not in os.environ and loaded.service.log_format != "text":
            logs.reform(loaded.service.log_format)
        return loaded

    @contextmanager
    def service(self) -> Iterator[Service]:
        """A service on the config's database."""
        from reverberate.runtime import open_service

        with open_service(self.config()) as service:
            yield service


def settings(context: typer.Context) -> Settings:
    """What the options before the command said."""
    found = context.obj
    if not isinstance(found, Settings):
        raise TypeError("the command line was entered past its own door")
    return found


def moment(text: str) -> datetime:
    """A time as a person writes it; naive where no offset is given."""
    from reverberate import walltime

    try:
        return walltime.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def emit(document: Any) -> None:
    """One JSON document on stdout."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()  # whoever reads it through a pipe may wait for it


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str, title: str = "") -> None:
    """Rows for a person; ``empty`` is said where there are none."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not rows:
        console.print(empty, markup=False)
        return
    grid = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(_styled(column, escape(_text(row.get(column)))) for column in columns))
    console.print(grid)


def _styled(column: str, text: str) -> str:
    style = STYLES.get(text) if column == "state" else None
    return f"[{style}]{text}[/]" if style else text


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def show(document: Any, *, as_json: bool, human: Callable[[], None]) -> None:
    """The document as JSON, or as people like it."""
    if as_json:
        emit(document)
    else:
        human()


def problem(lines: Sequence[str]) -> None:
    """Say what is wrong, a line each, and end with 1."""
    for line in lines:
        typer.echo(f"reverberate: {line}", err=True)
    raise typer.Exit(1)


def found(value: Any, what: str, *, hint: str) -> Any:
    """``value``, unless there is none."""
    if value is None:
        raise ReverberateError(f"there is no {what}", hint=hint)
    return value
