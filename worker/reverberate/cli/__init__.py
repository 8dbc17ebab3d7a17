"""The command line. Results go to stdout, everything else to stderr; 0 is fine, 1 a problem found, 2 wrong usage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from reverberate import __version__, logs
from reverberate.cli import accounts, connect, plan, posts, run, setup, shares, status, tokens, watch
from reverberate.cli.common import FILE, Settings
from reverberate.errors import ReverberateError

app = typer.Typer(
    name="reverberate",
    help="Publish once. Every account you own repeats it: once each, on time, in its own voice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (setup, run, posts, plan, shares, accounts, status, connect, tokens, watch):
    part.register(app)


def _version(value: bool) -> None:  # noqa: FBT001 - the callback's signature is typer's
    if value:
        typer.echo(f"reverberate {__version__}")
        raise typer.Exit


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", "-c", envvar="REVERBERATE_CONFIG", help="The config file.", show_default=True)
    ] = Path(FILE),
    server: Annotated[
        str,
        typer.Option(
            envvar="REVERBERATE_SERVER", help="Ask an installation elsewhere, e.g. https://reverberate.example."
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            envvar="REVERBERATE_TOKEN", help="Its token; better in the environment than here.", show_envvar=True
        ),
    ] = "",
    *,
    insecure: Annotated[bool, typer.Option(help="Send the token over plain HTTP to another machine.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, on stderr.")] = False,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """What every command needs."""
    level = os.environ.get("REVERBERATE_LOG", "DEBUG" if verbose else "INFO").upper()
    logs.setup(level=level, form=os.environ.get("REVERBERATE_LOG_FORMAT", "text"))
    context.obj = Settings(config, server=server, token=token, insecure=insecure)


def main() -> None:
    """Run the command line. A ReverberateError is one line for each problem, and exit code 1."""
    try:
        app()
    except ReverberateError as error:
        for line in str(error).splitlines():
            print(f"reverberate: {line}", file=sys.stderr)  # noqa: T201 - this is the command line
        sys.exit(1)
