"""Commands about accounts: the listing, letting one wait, and letting it go on."""

from __future__ import annotations

from typing import Annotated

import typer

from reverberate.cli.common import Json, settings, show, table


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (accounts, pause, resume):
        app.command()(command)


def accounts(context: typer.Context, *, as_json: Json = False) -> None:
    """The accounts: whether they are paused or resting, and when they last took a message."""
    with settings(context).front() as front:
        rows = front.accounts()
    flat = [row | {"shares": ", ".join(f"{number} {state}" for state, number in row["shares"].items())} for row in rows]
    columns = ["name", "network", "paused", "why", "rest_until", "last_success", "shares"]
    show(rows, as_json=as_json, human=lambda: table(flat, columns, empty="no account in the config"))


def pause(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's name; everything, when left out.")] = "",
    why: Annotated[str, typer.Option(help="For those who ask later.")] = "",
) -> None:
    """Let an account's shares wait, or everything; what is on its way at this moment still arrives."""
    with settings(context).front() as front:
        front.pause(account, why)
    typer.echo(f"{account or 'everything'} waits; reverberate resume {account}".rstrip())


def resume(
    context: typer.Context,
    account: Annotated[
        str, typer.Argument(help="The account's name; all that was paused as a whole, when left out.")
    ] = "",
) -> None:
    """Let a paused account go on, after you mended what was wrong; or everything."""
    with settings(context).front() as front:
        front.resume(account)
    typer.echo(f"{account or 'everything'} goes on")
