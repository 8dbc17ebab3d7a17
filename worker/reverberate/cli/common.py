"""What the commands share: the config they work on, and how they show what they found."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate import logs
from reverberate.errors import ReverberateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from reverberate.cli.remote import Remote
    from reverberate.config import Config
    from reverberate.front import Front
    from reverberate.paging import Page
    from reverberate.service import Service

FILE = "reverberate.toml"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Since = Annotated[str, typer.Option(help="From then on: 7d, 2026-12-24 or 2026-12-24T09:00.")]
Until = Annotated[str, typer.Option(help="Before then.")]
Cursor = Annotated[str, typer.Option(help="Where the page before ended.")]
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
    server: str = ""
    token: str = field(default="", repr=False)
    insecure: bool = False

    @contextmanager
    def front(self) -> Iterator[Front | Remote]:
        """What answers: the installation of the config, or the one at ``server``."""
        if self.server:
            from reverberate.cli.remote import Remote

            yield Remote(self.server, self.token, insecure=self.insecure)
            return
        from reverberate.front import Front
        from reverberate.runtime import ring

        with self.service() as service:
            yield Front(service, ring=lambda: ring(service.config))

    def instant(self, text: str) -> datetime | None:
        """``7d`` is so long ago; a date or a time without an offset is on the site's clock, or on ours if that is elsewhere."""
        from reverberate.schedule import parse_duration

        if not text:
            return None
        with suppress(ValueError):
            return datetime.now(UTC) - parse_duration(text)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is no time such as 7d, 2026-12-24 or 2026-12-24T09:00") from None
        if at.tzinfo is None:
            at = at.astimezone() if self.server else at.replace(tzinfo=self.config().zone)
        return at.astimezone(UTC)

    @cached_property
    def clock(self) -> ZoneInfo | None:
        """What people read times on: the site's clock, or ours (None) if that is elsewhere."""
        return None if self.server else self.config().zone

    def config(self) -> Config:
        """The config; raises ConfigError. Not for what is asked of a server."""
        return self._config

    @cached_property
    def _config(self) -> Config:
        if self.server:
            raise typer.BadParameter("this works on the installation itself: leave out --server and REVERBERATE_SERVER")
        from reverberate.runtime import read_config

        loaded = read_config(self.path)
        if "REVERBERATE_LOG_FORMAT" not in os.environ and loaded.service.log_format != "text":
            logs.reform(loaded.service.log_format)
        return loaded

    @contextmanager
    def service(self) -> Iterator[Service]:
        """A service on the config's database; not for what is asked of a server."""
        from reverberate.runtime import open_service

        with open_service(self.config()) as service:
            yield service


_said: ContextVar[Settings] = ContextVar("said")
"""What this command was told, for those who show times."""


def local(text: str | None, *, seconds: bool = False) -> str:
    """An instant in UTC as the documents tell it, on the clock that people read; what is none stays as it is."""
    if text is None or not STAMP.match(text):
        return text or ""
    at = datetime.fromisoformat(text).astimezone(_said.get().clock)
    return f"{at:%Y-%m-%d %H:%M:%S}" if seconds else f"{at:%Y-%m-%d %H:%M}"


def settings(context: typer.Context) -> Settings:
    """What the options before the command said."""
    found = context.obj
    if not isinstance(found, Settings):
        raise TypeError("the command line was entered past its own door")
    _said.set(found)
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
        times = any(STAMP.match(_text(row.get(column))) for row in rows)
        grid.add_column(column, overflow="fold", no_wrap=times)
    for row in rows:
        grid.add_row(*(_styled(column, escape(local(_text(row.get(column))))) for column in columns))
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


def show_page(page: Page, *, as_json: bool, columns: Sequence[str], empty: str) -> None:
    """A page of rows; on stderr where the next one begins, if there is one."""
    rows, more = page
    show(rows, as_json=as_json, human=lambda: table(rows, columns, empty=empty))
    if more:
        typer.echo(f"there are more: --cursor {more}", err=True)


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
