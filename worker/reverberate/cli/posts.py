"""Commands about posts and where they come from: poll, publish, preview, posts, sources, why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate.cli.common import Json, Limit, found, moment, problem, settings, show, table

if TYPE_CHECKING:
    from reverberate.model import Post
    from reverberate.service import Service

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
    from reverberate.runtime import ring

    with settings(context).service() as service:
        names = [source] if source else list(service.config.sources)
        for name in names:
            known = ", ".join(service.config.sources)
            found(service.config.sources.get(name), f"source {name!r}", hint=f"there are: {known}")
        looks = [service.look(name) for name in names]
        if any(look.new for look in looks):
            ring(service.config)
    rows = [
        {"source": look.source, "seen": look.seen, "new": look.new, "unchanged": look.unchanged}
        | {"baseline": look.baseline, "notes": list(look.notes), "trouble": look.trouble}
        for look in looks
    ]
    columns = ["source", "seen", "new", "unchanged", "baseline"]
    show(rows, as_json=as_json, human=lambda: table(rows, columns, empty="no source in the config"))
    if troubles := [f"{look.source}: {look.trouble}" for look in looks if look.trouble]:
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
    from reverberate import status
    from reverberate.runtime import ring
    from reverberate.store import shares

    post = _read(file)
    with settings(context).service() as service:
        ingested = service.publish(post, accounts=account or (), at=moment(at) if at else None)
        ring(service.config)
        with service.store.read() as tx:
            rows = [status.share(share) for share in reversed(shares.find(tx, post_id=ingested.post_id, limit=1000))]
    document = {"post": ingested.post_id, "new": ingested.new, "shares": rows}

    def human() -> None:
        words = "published" if ingested.new else "known already, nothing new was planned:"
        typer.echo(f"post {ingested.post_id} {words}")
        table(rows, SHARE_COLUMNS, empty="no account in the config: nothing to share")

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
    from reverberate.previews import preview as of

    with settings(context).service() as service:
        shown = read(service, post)
        rows = [of(service, name, shown, pictures=pictures) for name in account or list(service.config.accounts)]
        site = service.config.site.title or shown.site
    if html is not None:
        from reverberate.rendering.page import page

        html.write_text(page(rows, title=shown.title or shown.url, site=site), encoding="utf-8")
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


def posts(context: typer.Context, limit: Limit = 50, source: str = "", *, as_json: Json = False) -> None:
    """The posts that are known, newest first."""
    from reverberate import status
    from reverberate.store import posts as store

    with settings(context).service() as service, service.store.read() as tx:
        rows = [status.post(known) for known in store.newest(tx, limit=limit, source=source)]
    show(
        rows, as_json=as_json, human=lambda: table(rows, ["id", "seen", "source", "title", "url"], empty="no post yet")
    )


def sources(context: typer.Context, *, as_json: Json = False) -> None:
    """The sources, and how their last look went."""
    from reverberate import status

    with settings(context).service() as service:
        rows = status.overview(service)["sources"]
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
    from reverberate import status
    from reverberate.store import posts as store

    with settings(context).service() as service:
        configured = service.accounts.get(account)
        with service.store.read() as tx:
            known = found(store.get(tx, post), f"post {post}", hint="reverberate posts lists them")
            stories = [status.story(tx, share) for share in _shares_of(tx, post, account)]
        rule = {"when": configured.when, "holds": service.accounts.wants(account, known.post)}
        layers = service.accounts.layers(account, known.post)
    document = {"post": status.post(known), "account": account, "rule": rule, "layers": layers, "shares": stories}

    def human() -> None:
        typer.echo(f"post {post}: {known.post.title} <{known.post.url}>, from {known.source}")
        if configured.when:
            typer.echo(f"rule: {configured.when} -> {'holds' if rule['holds'] else 'does not hold'}")
        for setting, value, who in layers:
            typer.echo(f"{setting}: {value}, said by {who}")
        if not stories:
            typer.echo(
                "no share: it was there before the source's first look, or the account was not in the config yet"
            )
        for one in stories:
            status.tell(one, typer.echo)

    show(document, as_json=as_json, human=human)


def _shares_of(tx: Any, post: int, account: str) -> list[Any]:
    from reverberate.store import shares

    return shares.find(tx, post_id=post, account=account, limit=1000)


def _read(file: str) -> Post:
    from reverberate.sources.files import read_post

    return read_post(sys.stdin.read() if file == "-" else Path(file))


def read(service: Service, named: str) -> Post:
    from reverberate.store import posts as store

    if not named.isdecimal():
        return _read(named)
    with service.store.read() as tx:
        known = found(store.get(tx, int(named)), f"post {named}", hint="reverberate posts lists them")
    post: Post = known.post
    return post
