"""Commands about posts and where they come from: poll, publish, preview, posts, sources, why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate.cli.common import (
    Cursor,
    Json,
    Limit,
    Since,
    Until,
    moment,
    problem,
    settings,
    show,
    show_page,
    table,
)
from reverberate.cli.shares import tell

if TYPE_CHECKING:
    from reverberate.model import Post

SHARE_COLUMNS = ["id", "account", "state", "due", "permalink", "reason"]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (poll, publish, preview, posts, sources, why):
        app.command()(command)


def poll(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="One source; all when left out.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Look at the sources now."""
    with settings(context).front() as front:
        rows = [front.poll(name) for name in ([source] if source else [one["name"] for one in front.sources()])]
    columns = ["source", "seen", "new", "unchanged", "baseline"]
    show(rows, as_json=as_json, human=lambda: table(rows, columns, empty="no source in the config"))
    if troubles := [f"{row['source']}: {row['trouble']}" for row in rows if row["trouble"]]:
        problem(troubles)


def publish(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A post: FILE.md with front matter, FILE.json, or - for stdin.")],
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be given again.")] = None,
    at: Annotated[
        str, typer.Option(help="When, e.g. '2026-12-24 09:00', on the site's clock; else as scheduled.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Share a post on every account."""
    post = read(file)
    with settings(context).front() as front:
        document = front.publish(post, accounts=account or (), at=moment(at) if at else None)

    def human() -> None:
        words = "published" if document["new"] else "known already, nothing new was planned:"
        typer.echo(f"post {document['post']} {words}")
        table(document["shares"], SHARE_COLUMNS, empty="no account in the config: nothing to share")

    show(document, as_json=as_json, human=human)


def preview(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help="A file as for publish, or the number of a known post.")],
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be given again.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that shows it, to this file.")] = None,
    *,
    pictures: Annotated[bool, typer.Option(help="Fetch and prepare the post's pictures too.")] = False,
    as_json: Json = False,
) -> None:
    """Show what each account would send, offline; 1 if something cannot fit."""
    shown = None if post.isdecimal() else read(post)
    with settings(context).front() as front:
        if shown is None:
            rows = front.preview_known(int(post), accounts=account or (), pictures=pictures)
        else:
            rows = front.preview(shown, accounts=account or (), pictures=pictures)
        title, site = front.called(shown, int(post) if shown is None else 0)
    if html is not None:
        from reverberate.rendering.page import page

        html.write_text(page(rows, title=title, site=site), encoding="utf-8")
        typer.echo(f"written: {html}", err=True)
    show(rows, as_json=as_json, human=lambda: _print_previews(rows))
    if wrong := [f"{row['account']}: {row['problem']}" for row in rows if row["problem"]]:
        problem(wrong)


def _print_previews(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        numbers = ", ".join(f"{part['count']}/{part['limit']}" for part in row["parts"])
        unit = row["parts"][0]["unit"] if row["parts"] else ""
        typer.echo(typer.style(f"── {row['account']} ({row['title']}) {numbers} {unit}", bold=True))
        if row["state"] != "scheduled":
            typer.echo(f"[{row['state']}] {row['reason']}")
        typer.echo("\n\n⋮\n\n".join(part["text"] for part in row["parts"]))
        if card := row["card"]:
            typer.echo(f"[card] {card['title']} — {card['url']}{_size(card['image'])}")
        for image in (image for part in row["parts"] for image in part["images"]):
            typer.echo(f"[picture]{_size(image)} {image['alt']}")
        for note in row["notes"]:
            typer.echo(typer.style(f"  {note}", dim=True))
        typer.echo()


def _size(image: dict[str, Any] | None) -> str:
    return f" {image['width']}x{image['height']}, {image['bytes']:,} bytes" if image else ""


def posts(
    context: typer.Context,
    *,
    limit: Limit = 50,
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    since: Since = "",
    until: Until = "",
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """The posts that are known, the latest seen first."""
    from reverberate.store.posts import Wanted

    said = settings(context)
    wanted = Wanted(source=source, since=said.instant(since), until=said.instant(until))
    with said.front() as front:
        page = front.posts(wanted, cursor=cursor, limit=limit)
    show_page(page, as_json=as_json, columns=["id", "seen", "source", "title", "url"], empty="no post yet")


def sources(context: typer.Context, *, as_json: Json = False) -> None:
    """The sources, and how their last look went."""
    with settings(context).front() as front:
        rows = front.sources()
    columns = ["name", "looked", "next_look", "failures", "trouble"]
    show(rows, as_json=as_json, human=lambda: table(rows, columns, empty="no source in the config"))


def why(
    context: typer.Context,
    post: Annotated[int, typer.Argument(help="The post's number.")],
    account: Annotated[str, typer.Argument(help="The account's name.")],
    *,
    as_json: Json = False,
) -> None:
    """Why a post is, or is not, on an account."""
    with settings(context).front() as front:
        document = front.why(post, account)
    known, rule = document["post"], document["rule"]

    def human() -> None:
        typer.echo(f"post {post}: {known['title']} <{known['url']}>, from {known['source']}")
        if rule["when"]:
            typer.echo(f"rule: {rule['when']} -> {'holds' if rule['holds'] else 'does not hold'}")
        for setting, value, who in document["layers"]:
            typer.echo(f"{setting}: {value}, said by {who}")
        if not document["shares"]:
            typer.echo(
                "no share: it was there before the source's first look, or the account was not in the config yet"
            )
        for one in document["shares"]:
            tell(one)

    show(document, as_json=as_json, human=human)


def read(file: str) -> Post:
    """The post in a file; - is stdin."""
    from reverberate.sources.files import read_post

    return read_post(sys.stdin.read() if file == "-" else Path(file))
