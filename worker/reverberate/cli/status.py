"""Commands that tell how it goes: status, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverberate.cli.common import Cursor, Json, Limit, Since, Until, local, settings, show, show_page, table

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDS = ["what", "kind", "since", "why", "mend"]
SHARES = ["id", "title", "account", "state", "due", "permalink"]
ACCOUNTS = ["name", "network", "how", "last_success", "expires", "spent", "shares"]
SOURCES = ["name", "looked", "next_look", "failures", "trouble"]
EVENTS = ["at", "kind", "share", "account", "source", "words"]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (status, events):
        app.command()(command)


def status(context: typer.Context, *, as_json: Json = False) -> None:
    """One screen: what needs a hand, what comes next, what went last."""
    with settings(context).front() as front:
        screen = front.status()
    show(screen, as_json=as_json, human=lambda: _screen(screen))


def _screen(screen: Mapping[str, Any]) -> None:
    table(screen["needs"], NEEDS, title="Needs a hand", empty="Nothing needs a hand.")
    _gap()
    table(screen["next"], SHARES, title="Next", empty="Nothing is scheduled.")
    _gap()
    table(screen["last"], SHARES, title="Last", empty="Nothing was sent yet.")
    _gap()
    table([_account(one) for one in screen["accounts"]], ACCOUNTS, title="Accounts", empty="No account in the config.")
    _gap()
    table(screen["sources"], SOURCES, title="Sources", empty="No source in the config.")
    typer.echo(f"\nIt is {local(screen['at'])}.")
    if screen["lateness"] >= 60:
        typer.echo(f"The share that has waited longest is {screen['lateness']:.0f} s late.")


def _account(row: Mapping[str, Any]) -> dict[str, Any]:
    rests = f"rests until {local(row['rest_until'])}" if row["rest_until"] else "fine"
    how = f"paused since {local(row['paused'])}" if row["paused"] else rests
    spent = f"{row['spent']:.2f} of {row['budget']:.2f}" if row["budget"] is not None else ""
    return {**row, "how": how, "spent": spent, "shares": _counted(row["shares"])}


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in numbers.items())


def _gap() -> None:
    typer.echo()


def events(
    context: typer.Context,
    *,
    account: Annotated[str, typer.Option(help="Only of this account.")] = "",
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    kind: Annotated[str, typer.Option(help="Only of this kind, e.g. 'account paused'.")] = "",
    share: Annotated[int | None, typer.Option(min=1, help="Only of this share.")] = None,
    post: Annotated[int | None, typer.Option(min=1, help="Only of this post.")] = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """What happened, the latest first."""
    from reverberate.store.events import Wanted

    said = settings(context)
    wanted = Wanted(
        account=account,
        source=source,
        kind=kind,
        share_id=share,
        post_id=post,
        since=said.instant(since),
        until=said.instant(until),
    )
    with said.front() as front:
        page = front.events(wanted, cursor=cursor, limit=limit)
    show_page(page, as_json=as_json, columns=EVENTS, empty="nothing happened")
