"""Commands about the config and the machine: init, check, schema, networks, count, doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reverberate.cli.common import Json, emit, problem, settings, show, table

if TYPE_CHECKING:
    from reverberate.checks import Finding

Online = Annotated[bool, typer.Option(help="Ask the networks who we are there, what is left, and what ends soon.")]
EXAMPLE = """\
# Reverberate: one file. `reverberate check` tells what is wrong with it, `reverberate schema` describes it all.
[site]
title = "My blog"
timezone = "Europe/Berlin"

[sources.blog]
type = "feed"
url = "https://blog.example/feed.xml"

[accounts.fedi]
network = "mastodon"
instance = "https://mastodon.example"
access_token = { env = "MASTODON_TOKEN" }

[accounts.sky]
network = "bluesky"
handle = "you.bsky.social"
app_password = { env = "BLUESKY_APP_PASSWORD" }
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (init, check, schema, networks, count, doctor):
        app.command()(command)


def init(
    context: typer.Context, *, force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False
) -> None:
    """Write a config to start from."""
    path = settings(context).path
    if path.exists() and not force:
        problem([f"{path} is there already (--force overwrites it)"])
    path.write_text(EXAMPLE, encoding="utf-8")
    typer.echo(f"wrote {path}; put your accounts in, then run: reverberate check")


def check(context: typer.Context, *, online: Online = False, as_json: Json = False) -> None:
    """Tell everything that is wrong with the config, its secrets, templates and rules."""
    from reverberate.checks import ask_networks, problems

    loaded = settings(context).config()
    lines = problems(loaded)
    found = ask_networks(loaded) if online and not lines else []
    fine = not lines and all(one.fine for one in found)
    if as_json:
        told = {"config": str(loaded.path), "accounts": sorted(loaded.accounts), "problems": lines}
        emit(told | ({"online": [one.row() for one in found]} if online else {}))
        raise typer.Exit(0 if fine else 1)
    if lines:
        problem(lines)
    typer.echo(f"{loaded.path} is fine: {len(loaded.accounts)} accounts, {len(loaded.sources)} sources")
    _tell(found)


def _tell(found: list[Finding]) -> None:
    """One line each; ends with 1 if there is trouble."""
    if found:
        table([one.row() for one in found], ["what", "state", "words"], empty="")
    if not all(one.fine for one in found):
        raise typer.Exit(1)


def schema() -> None:
    """The config's JSON Schema, for editors."""
    from reverberate.config_schema import json_schema
    from reverberate.networks import networks as known
    from reverberate.sources import sources

    emit(json_schema(networks=known, sources=sources))


def networks(*, as_json: Json = False) -> None:
    """The networks that are installed: by what they deliver once, how long a post may be, what they can do."""
    from reverberate.catalogue import length, rows
    from reverberate.networks import networks as known

    found = rows(known)
    flat = [row | {"limit": length(row), "abilities": ", ".join(row["abilities"])} for row in found]
    columns = ["name", "title", "assurance", "limit", "abilities"]
    show(found, as_json=as_json, human=lambda: table(flat, columns, empty="no network is installed"))


def count(
    text: Annotated[str, typer.Argument(help="The text; - reads it from stdin.")],
    network: Annotated[str, typer.Option(help="The network that counts.")],
    *,
    as_json: Json = False,
) -> None:
    """Count a text as a network does."""
    from reverberate.networks import networks as known
    from reverberate.text.count import count as counted

    limit = known.get(network).limit
    number = counted(typer.get_text_stream("stdin").read() if text == "-" else text, limit)
    left = limit.maximum - number
    document = {"count": number, "limit": limit.maximum, "unit": limit.unit.value, "remaining": left}
    show(document, as_json=as_json, human=lambda: typer.echo(f"{number} of {limit.maximum} {limit.unit}, {left} left"))
    if left < 0:
        raise typer.Exit(1)


def doctor(context: typer.Context, *, online: Online = False, as_json: Json = False) -> None:
    """Look at the machine, the database, Redis and the accounts; one line each."""
    from reverberate.checks import examine

    found = examine(settings(context).config(), online=online)
    if as_json:
        emit([one.row() for one in found])
        raise typer.Exit(0 if all(one.fine for one in found) else 1)
    _tell(found)
