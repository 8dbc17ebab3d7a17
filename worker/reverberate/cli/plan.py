"""Commands about what is to come: schedule, plan."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reverberate.cli.common import Json, Limit, moment, settings, show, table
from reverberate.cli.posts import read


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (schedule, plan):
        app.command()(command)


def schedule(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's name.")],
    number: Annotated[int, typer.Option("--next", "-n", min=1, max=1000, help="So many.")] = 10,
    begin: Annotated[
        str, typer.Option("--from", help="From this time on instead of now, e.g. '2026-12-24 09:00'.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """An account's coming slots, and which share has each; without slots, when the next posts would go."""
    with settings(context).front() as front:
        rows = front.coming(account, since=moment(begin) if begin else None, number=number)
    show(rows, as_json=as_json, human=lambda: table(rows, ["at", "slot", "share", "note"], empty="nothing to come"))


def plan(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help="A file as for publish, or a post's number; else what is planned.")] = "",
    limit: Limit = 20,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Move what the present config would place otherwise.")] = False,
    as_json: Json = False,
) -> None:
    """What would be shared where, when and in which words; and what the present config would move."""
    one = (int(post) if post.isdecimal() else read(post)) if post else None
    with settings(context).front() as front:
        found = front.plan(limit=limit, apply=apply) if one is None else front.plan_of(one)
    show(found, as_json=as_json, human=lambda: _tell(found["shares"], found["moves"], applied=apply))


def _tell(rows: list[dict[str, Any]], moves: list[dict[str, Any]], *, applied: bool) -> None:
    for row in rows:
        typer.echo(typer.style(f"{row['at']} {row['account']} [{row['state']}] {row['title']}", bold=True))
        for words in (row["reason"], row["problem"]):
            if words:
                typer.echo(f"  {words}")
        typer.echo("  " + "\n\n".join(row["parts"]).replace("\n", "\n  "))
    if not rows:
        typer.echo("nothing waits")
    for move in moves:
        verb = "moved" if applied else "would move"
        typer.echo(f"share {move['share']} on {move['account']} {verb} from {move['from']} to {move['to']}")
    if moves and not applied:
        typer.echo("reverberate plan --apply moves them")
