"""Commands about accounts: the listing, and letting one go on."""

from __future__ import annotations

from typing import Annotated

import typer

from reverberate.cli.common import Json, settings, show, table


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (accounts, resume):
        app.command()(command)


def accounts(context: typer.Context, *, as_json: Json = False) -> None:
    """The accounts: whether they are paused or resting, and when they last took a message."""
    from reverberate import status

    with settings(context).service() as service:
        rows = status.overview(service)["accounts"]
    flat = [row | {"shares": ", ".join(f"{number} {state}" for state, number in row["shares"].items())} for row in rows]
    columns = ["name", "network", "paused", "why", "rest_until", "last_success", "shares"]
    show(rows, as_json=as_json, human=lambda: table(flat, columns, empty="no account in the config"))


def resume(context: typer.Context, account: Annotated[str, typer.Argument(help="The account's name.")]) -> None:
    """Let a paused account go on, after you mended what was wrong."""
    from reverberate.desk import Desk
    from reverberate.runtime import ring

    with settings(context).service() as service:
        service.accounts.get(account)
        Desk(service.store).resume(account)
        ring(service.config)
    typer.echo(f"{account} goes on")
