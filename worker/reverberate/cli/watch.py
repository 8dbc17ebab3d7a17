"""Commands for those who watch: notices, statistics, backup and restore."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - typer resolves annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate.cli.common import Json, Limit, settings, show, table

if TYPE_CHECKING:
    from collections.abc import Mapping


def register(app: typer.Typer) -> None:
    """Add these commands."""
    notices = typer.Typer(invoke_without_command=True, help="What was told of troubles, where, and whether it arrived.")
    notices.callback()(list_notices)
    notices.command(name="test")(test)
    app.add_typer(notices, name="notices")
    for command in (stats, backup, restore):
        app.command()(command)


def list_notices(context: typer.Context, limit: Limit = 50, *, as_json: Json = False) -> None:
    """The notices, newest first, and the troubles that are not over."""
    if context.invoked_subcommand:
        return
    from reverberate import notices
    from reverberate.store import outbox

    with settings(context).service() as service, service.store.read() as tx:
        told = [notices.show(one) for one in outbox.newest(tx, limit=limit)]
        still = [
            {"kind": kind, "whom": whom, "since": since.isoformat(timespec="seconds"), "words": words}
            for kind, whom, since, words in outbox.open_troubles(tx)
        ]
    columns = ["id", "channel", "made", "state", "tries", "about", "trouble"]

    def human() -> None:
        table(told, columns, empty="nothing was told yet")
        if still:
            table(still, ["kind", "whom", "since", "words"], empty="", title="\nnot over yet")

    show({"notices": told, "troubles": still}, as_json=as_json, human=human)


def test(context: typer.Context, name: Annotated[str, typer.Argument(help="[notices.NAME] of the config.")]) -> None:
    """Send a notice to a channel now."""
    from reverberate.notices import Notices

    with settings(context).service() as service:
        Notices(service.config, service.store).test(name)
    typer.echo(f"{name} took it")


def stats(
    context: typer.Context,
    account: Annotated[str, typer.Option(help="Only this account.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Shares that were sent in the last so many days.")] = 90,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every answer of every share, as CSV on stdout.")] = False,
    as_json: Json = False,
) -> None:
    """What people made of your posts: by account, by post, by hour of the day."""
    if as_csv:
        _export(context, account, since=datetime.now(UTC) - timedelta(days=days))
        return
    with settings(context).front() as front:
        found = front.stats(account=account, days=days)
    show(found, as_json=as_json, human=lambda: _tell(found))


def _export(context: typer.Context, account: str, *, since: datetime) -> None:
    from reverberate.statistics import flat
    from reverberate.store import reactions

    with settings(context).service() as service, service.store.read() as tx:
        _write(flat(reactions.rows(tx, account=account, since=since, latest=False)))


def _write(rows: Any) -> None:
    names = ["share", "account", "post", "title", "url", "permalink", "sent", "at", "likes", "reposts", "replies"]
    writer = csv.DictWriter(sys.stdout, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _plain(value) for name, value in row.items()})


def _plain(value: object) -> object:
    """No cell that a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _tell(found: Mapping[str, Any]) -> None:
    counts = ["shares", "likes", "reposts", "replies"]
    table(found["accounts"], ["account", *counts], empty="no network has told of reactions yet")
    if found["posts"]:
        table(found["posts"], ["post", "title", *counts], empty="", title="\nby post")
        table(found["hours"], ["hour", *counts], empty="", title="\nby the hour at which they were sent")


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    to: Annotated[
        list[str] | None, typer.Option(help="Seal it with age for this recipient (age1..., or an SSH key).")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Write the database, the config and your own templates into one file, while everything runs. It holds no secret."""
    from reverberate.backup import back_up

    with settings(context).service() as service:
        manifest = back_up(service.config, service.store, file, recipients=to or ())
    rows = sum(member.get("rows", 0) for member in manifest["members"].values())
    show(manifest, as_json=as_json, human=lambda: typer.echo(f"wrote {file}: {rows} rows, and the config"))


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The backup.")],
    identity: Annotated[Path | None, typer.Option(help="The file with the age or SSH key that opens it.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite all that is in the database.")] = False,
) -> None:
    """Fill the config's database from a backup. What may have been sent since is held, never sent again by itself."""
    from reverberate.backup import opened
    from reverberate.runtime import run_restore

    path = settings(context).path
    with opened(file, identity=identity) as found:
        if not path.exists():
            path.write_bytes(found.config.read_bytes())
            typer.echo(f"wrote {path}, as it was")
        done = run_restore(settings(context).config(), found, force=force)
    typer.echo(f"restored {sum(done.rows.values())} rows of {done.made:%Y-%m-%d %H:%M} UTC")
    for written in done.written:
        typer.echo(f"wrote {written}")
    for left in done.left:
        typer.echo(f"left {left} as it is, which differs from the backup's", err=True)
    if done.unsure:
        typer.echo(f"{done.unsure} shares may have been sent since; see: reverberate shares --state held", err=True)
