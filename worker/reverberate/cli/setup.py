"""Commands about the config and the machine: init, check, schema, networks, count, doctor."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reverberate.cli.common import Json, emit, problem, settings, show, table

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


def check(context: typer.Context, *, as_json: Json = False) -> None:
    """Tell everything that is wrong with the config, its secrets, templates and rules."""
    from reverberate.checks import problems

    loaded = settings(context).config()
    lines = problems(loaded)
    if as_json:
        emit({"config": str(loaded.path), "accounts": sorted(loaded.accounts), "problems": lines})
        raise typer.Exit(1 if lines else 0)
    if lines:
        problem(lines)
    typer.echo(f"{loaded.path} is fine: {len(loaded.accounts)} accounts, {len(loaded.sources)} sources")


def schema() -> None:
    """The config's JSON Schema, for editors."""
    from reverberate.config_schema import json_schema
    from reverberate.networks import networks as known
    from reverberate.sources import sources

    emit(json_schema(networks=known, sources=sources))


def networks(*, as_json: Json = False) -> None:
    """The networks that are installed, and what each can do."""
    from reverberate.networks import networks as known
    from reverberate.networks.base import Finds, Verifies

    abilities_of: tuple[tuple[str, type[Any]], ...] = (("finds", Finds), ("verifies", Verifies))
    rows: list[dict[str, Any]] = []
    for name in known.names():
        network = known.get(name)
        abilities = [word for word, kind in abilities_of if issubclass(network, kind)]
        limit = {"maximum": network.limit.maximum, "unit": network.limit.unit.value}
        row = {"name": name, "title": network.title, "assurance": network.assurance.value, "limit": limit}
        rows.append(row | {"abilities": abilities})
    flat = [
        row | {"limit": f"{row['limit']['maximum']} {row['limit']['unit']}", "abilities": ", ".join(row["abilities"])}
        for row in rows
    ]
    columns = ["name", "title", "assurance", "limit", "abilities"]
    show(rows, as_json=as_json, human=lambda: table(flat, columns, empty="no network is installed"))


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


def doctor(
    context: typer.Context,
    *,
    online: Annotated[bool, typer.Option(help="Ask the networks who we are there.")] = False,
    as_json: Json = False,
) -> None:
    """Look at the machine, the database, Redis and the accounts; one line each."""
    from reverberate.checks import examine

    findings = examine(settings(context).config(), online=online)
    rows = [{"what": f.what, "state": "ok" if f.fine else "trouble", "words": f.words} for f in findings]
    show(rows, as_json=as_json, human=lambda: table(rows, ["what", "state", "words"], empty="nothing to look at"))
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
