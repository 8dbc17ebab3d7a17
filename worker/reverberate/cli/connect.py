"""Commands that connect accounts and look after the vault. None of them ever prints a secret."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from reverberate.cli.common import Json, settings, show, table
from reverberate.errors import ReverberateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverberate.connecting import Begun
    from reverberate.connector import Connected, Connector
    from reverberate.networks.flows import Flow, PasteFlow
    from reverberate.service import Service

Account = Annotated[str, typer.Argument(help="The account's name in the config.")]
vault = typer.Typer(help="The vault, in which the tokens of connected accounts are sealed.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(connect)
    app.command()(disconnect)
    vault.command()(init)
    vault.command()(status)
    vault.command()(rotate)
    app.add_typer(vault, name="vault")


def connect(
    context: typer.Context,
    account: Account,
    *,
    browser: Annotated[bool, typer.Option(help="Open the browser; else only print the address.")] = True,
    paste: Annotated[
        bool, typer.Option("--paste", help="Paste the address at which the browser ends: for machines without one.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to await you back; 0 is what the config says.")
    ] = 0,
    redirect: Annotated[str, typer.Option(help="Where the vendor sends you back instead of http://127.0.0.1.")] = "",
) -> None:
    """Sign an account in at its network, or sign it in anew; its tokens go into the vault."""
    from reverberate.networks.flows import PasteFlow
    from reverberate.runtime import ring

    with settings(context).service() as service:
        connector = _connector(service)
        flow = connector.flow(account)
        _first_key(service)
        if isinstance(flow, PasteFlow):
            done = connector.paste(account, _ask(account, flow))
        else:
            usual = f"http://127.0.0.1:{port or service.config.service.connect_port}/callback"
            back = redirect or service.config.service.connect_redirect or usual
            done = _signed_in(connector, account, flow, browser=browser, paste=paste, redirect=back)
        ring(service.config)
    _tell(done)


def disconnect(context: typer.Context, account: Account) -> None:
    """Revoke an account's tokens at its network and forget them; its shares wait until it is connected again."""
    with settings(context).service() as service:
        service.accounts.get(account)
        there, why = service.accounts.sign_ins.forget(account) if service.accounts.sign_ins else (False, "")
    if not there:
        raise ReverberateError(
            f"{account} was not connected", hint="secrets that the config names are not ours to forget"
        )
    typer.echo(
        f"{account} is disconnected"
        + (f"; at the network nothing was revoked: {why}" if why else ", at the network too")
    )


def init(context: typer.Context) -> None:
    """Make the vault's key, where there is none yet."""
    from reverberate.vault import key_place
    from reverberate.vaultkeys import make_first_key

    path = make_first_key(key_place(settings(context).config().service.vault_key))
    typer.echo(f"made {path}; keep a copy of it apart from your backups of the database")


def status(context: typer.Context, *, as_json: Json = False) -> None:
    """Where the vault's key is, what is sealed under it, and which accounts are connected."""
    from reverberate.store import connections
    from reverberate.vault import key_place
    from reverberate.vaultkeys import look

    with settings(context).service() as service:
        found = look(service.store, key_place(service.config.service.vault_key), data=service.config.data)
        with service.store.read() as tx:
            every = connections.all_of(tx)
    rows = [
        {"account": one.account, "who": one.who, "since": one.since.isoformat(timespec="minutes")}
        | {"ends": one.expires.isoformat(timespec="minutes") if one.expires else ""}
        | {"refreshed": "by itself" if one.refresh_at else "", "trouble": one.trouble}
        for one in every
    ]
    document = {"key": found.place, "keys": list(found.keys), "sealed": dict(found.sealed), "trouble": found.trouble}

    def human() -> None:
        typer.echo(
            f"key: {found.place} ({', '.join(found.keys) or 'none'}); {sum(found.sealed.values())} secrets sealed"
        )
        if found.trouble:
            typer.echo(f"trouble: {found.trouble}")
        table(rows, ["account", "who", "since", "ends", "refreshed", "trouble"], empty="no account is connected")

    show(document | {"accounts": rows}, as_json=as_json, human=human)
    if not found.usable and (found.sealed or found.keys):
        raise typer.Exit(1)


def rotate(context: typer.Context) -> None:
    """Seal everything under a new key. Interrupted, it is run again; running services go on meanwhile."""
    from reverberate.vault import key_place
    from reverberate.vaultkeys import rotate as turn

    with settings(context).service() as service:
        place = key_place(service.config.service.vault_key)
        number = turn(service.store, place)
    typer.echo(f"{number} secrets are sealed under a new key in {place.words}; keep a copy of it apart from backups")


def _connector(service: Service) -> Connector:
    from reverberate.connector import Connector
    from reverberate.networks import networks

    if service.accounts.sign_ins is None:
        raise TypeError("the service was made without a vault")
    return Connector(service.config, service.accounts.sign_ins, networks=networks)


def _first_key(service: Service) -> None:
    """Make the key where there is none and nothing is sealed yet: the first account is connected."""
    from reverberate.vault import key_place
    from reverberate.vaultkeys import look, make_first_key

    place = key_place(service.config.service.vault_key)
    found = look(service.store, place, data=service.config.data)
    if not found.usable and not found.sealed and place.path and not place.path.exists():
        typer.echo(f"made the vault's key at {make_first_key(place)}; keep a copy of it", err=True)
    else:
        place.read()


def _ask(account: str, flow: PasteFlow) -> Mapping[str, str]:
    typer.echo(f"{account}: {flow.where}", err=True)
    return {ask.setting: typer.prompt(ask.label, hide_input=True, err=True).strip() for ask in flow.asks}


def _signed_in(
    connector: Connector, account: str, flow: Flow, *, browser: bool, paste: bool, redirect: str
) -> Connected:
    """Through the browser and back."""
    from reverberate.cli.loopback import Loopback, is_loopback
    from reverberate.connecting import PATIENCE, belongs, pasted

    begun = connector.begin(account, redirect=redirect)
    loopback = Loopback(redirect) if is_loopback(redirect) and not paste else None
    _show(begun, flow)
    if browser and not paste:
        typer.launch(begun.address)
    if loopback is None:
        params = pasted(typer.prompt("The address at which the browser ended", hide_input=True, err=True))
    else:
        typer.echo(f"waiting at {redirect} for you to come back; Ctrl-C gives up", err=True)
        params = dict(loopback.wait(lambda found: belongs(begun, found), timeout=PATIENCE))
    return connector.complete(begun, params)


def _show(begun: Begun, flow: Flow) -> None:
    scopes = getattr(flow, "scopes", ())
    lines = [f"The app's settings at the vendor must name this redirect address, exactly: {begun.redirect}"]
    lines += [f"It is asked to allow: {', '.join(scopes)}"] if scopes else []
    lines += ["Open this address, sign in as the account that is to post, and agree:", "", f"  {begun.address}", ""]
    typer.echo("\n".join(lines), err=True)


def _tell(done: Connected) -> None:
    who = f" as {done.who}" if done.who else ""
    instead = f", instead of {done.instead_of}" if done.instead_of else ""
    typer.echo(f"{done.account} is connected{who}{instead}")
    if done.note:
        typer.echo(f"who it is there could not be asked: {done.note}", err=True)
    if done.expires and not done.renewed:
        typer.echo(f"its token ends on {done.expires:%Y-%m-%d}; you will be told 30, 7 and 1 days before", err=True)
    sys.stdout.flush()
