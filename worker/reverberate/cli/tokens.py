"""Commands about tokens of the HTTP API: make one, list them, revoke one."""

from __future__ import annotations

from typing import Annotated

import typer

from reverberate.cli.common import Json, settings, show, table
from reverberate.model import Scope

COLUMNS = ["name", "scope", "made", "used", "expires"]
Name = Annotated[str, typer.Argument(help="What you call it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    token = typer.Typer(no_args_is_help=True, help="Tokens for the HTTP API.")
    token.command()(create)
    token.command("list")(list_tokens)
    token.command()(revoke)
    app.add_typer(token, name="token")


def create(
    context: typer.Context,
    name: Name,
    scope: Annotated[Scope, typer.Option(help="What it is good for; each includes those before it.")] = Scope.READ,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="How long it is good for.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make a token; it is shown this once."""
    with settings(context).front() as front:
        made = front.create_token(name, scope, days=days)

    def human() -> None:
        typer.echo(made["token"])
        typer.echo(f"{name} has the scope {scope}; the line above is shown this once", err=True)

    show(made, as_json=as_json, human=human)


def list_tokens(context: typer.Context, *, as_json: Json = False) -> None:
    """The tokens, without their secrets."""
    with settings(context).front() as front:
        rows = front.tokens()
    show(rows, as_json=as_json, human=lambda: table(rows, COLUMNS, empty="no token yet"))


def revoke(context: typer.Context, name: Name) -> None:
    """End a token at once."""
    with settings(context).front() as front:
        front.revoke_token(name)
    typer.echo(f"{name} is revoked")
