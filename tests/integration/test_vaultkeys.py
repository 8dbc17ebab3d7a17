"""The vault's key is changed without a moment in which a secret cannot be read, whatever is killed when."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reverberate.secrets import Secret
from reverberate.store import Store, connections
from reverberate.store.connections import Connection
from reverberate.vault import VaultError, key_place, new_key, read_keys, write_keys
from reverberate.vaultkeys import look, make_first_key, rotate

if TYPE_CHECKING:
    from pathlib import Path

    from reverberate.vault import KeyPlace

SECRETS = {f"field-{number}": f"secret-{number}" for number in range(20)}


@pytest.fixture
def place(tmp_path: Path) -> KeyPlace:
    """A key of its own."""
    found = key_place(Secret("file", str(tmp_path / "keys" / "vault.key")))
    make_first_key(found)
    return found


@pytest.fixture
def sealed(store: Store, place: KeyPlace) -> Store:
    """A vault with secrets in it."""
    now, keys = datetime.now(UTC), place.read()
    with store.write() as tx:
        one = Connection(account="a", version=connections.new_version(), since=now)
        rows = {name: keys.seal("a", name, secret) for name, secret in SECRETS.items()}
        connections.connect(tx, one, rows, now=now)
    return store


def opened(store: Store, place: KeyPlace) -> dict[str, str]:
    keys = place.read()
    with store.read() as tx:
        return {name: keys.open("a", name, one) for name, one in connections.sealed(tx, "a").items()}


def test_after_a_rotation_everything_is_under_the_new_key(sealed: Store, place: KeyPlace, tmp_path: Path) -> None:
    (old,) = place.read().keys

    assert rotate(sealed, place) == len(SECRETS)
    assert opened(sealed, place) == SECRETS
    assert place.read().keys[1:] == (old,)
    assert look(sealed, place, data=tmp_path / "data").sealed == {place.read().newest: len(SECRETS)}


def test_only_the_key_before_is_kept(sealed: Store, place: KeyPlace) -> None:
    first = place.read().newest
    for _ in range(4):
        rotate(sealed, place)

    assert len(place.read().keys) == 2
    assert first not in look(sealed, place, data=place.path or "").keys  # type: ignore[arg-type]  # there is one
    assert opened(sealed, place) == SECRETS


def test_what_is_still_under_an_older_key_keeps_that_key(sealed: Store, place: KeyPlace) -> None:
    """Another process sealed it with the keys that it had read a moment before."""
    before = place.read()
    rotate(sealed, place)
    with sealed.write() as tx:
        connections.put(tx, "a", {"field-3": before.seal("a", "field-3", "secret-3")})
    rotate(sealed, place)

    assert opened(sealed, place) == SECRETS


@pytest.mark.parametrize("point", ["rotate: key written", "rotate: before commit"])
def test_a_rotation_that_was_killed_is_run_again(sealed: Store, place: KeyPlace, database_url: str, point: str) -> None:
    script = f"""
from pathlib import Path
from reverberate.failpoints import doom
from reverberate.secrets import Secret
from reverberate.store import Store
from reverberate.vault import key_place
from reverberate.vaultkeys import rotate
doom({point!r})
rotate(Store({database_url!r}), key_place(Secret("file", {str(place.path)!r})))
"""
    died = subprocess.run([sys.executable, "-c", script], check=False, env=dict(os.environ), timeout=60)
    assert died.returncode == -9
    assert opened(sealed, place) == SECRETS
    written = place.read().newest

    assert rotate(sealed, place) == len(SECRETS)
    assert place.read().newest == written, "it goes on with the key that was written"
    assert opened(sealed, place) == SECRETS


def test_a_key_that_is_missing_stops_it_before_anything_changed(sealed: Store, place: KeyPlace) -> None:
    assert place.path
    lost = read_keys(place.path).keys
    write_keys(place.path, [new_key()])
    with pytest.raises(VaultError, match="not here"):
        rotate(sealed, place)
    assert len(place.read().keys) == 1

    write_keys(place.path, lost)
    assert opened(sealed, place) == SECRETS


def test_a_row_that_was_changed_stops_it_and_nothing_is_resealed(sealed: Store, place: KeyPlace) -> None:
    with sealed.write() as tx:
        row = connections.sealed(tx, "a")["field-7"]
        connections.put(tx, "a", {"field-8": row})
    with pytest.raises(VaultError, match="changed or moved"):
        rotate(sealed, place)
    with sealed.read() as tx:
        assert place.read().newest not in connections.keys_in_use(tx)


def test_a_key_of_the_environment_is_its_owner_s_to_change(
    sealed: Store, place: KeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.path
    lines = [line for line in place.path.read_text().splitlines() if not line.startswith("#")]
    monkeypatch.setenv("VAULT", lines[0])
    given = key_place(Secret("env", "VAULT"))
    with pytest.raises(VaultError, match="openssl rand -base64 32"):
        rotate(sealed, given)

    monkeypatch.setenv("VAULT", f"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc= {lines[0]}")
    assert rotate(sealed, given) == len(SECRETS)
    assert opened(sealed, given) == SECRETS


def test_a_key_beside_the_database_is_told(store: Store, tmp_path: Path) -> None:
    place = key_place(Secret("file", str(tmp_path / "data" / "vault.key")))
    make_first_key(place)

    assert "beside the database" in look(store, place, data=tmp_path / "data").trouble
    assert look(store, place, data=tmp_path / "elsewhere").trouble == ""


def test_the_first_key_is_never_overwritten(place: KeyPlace) -> None:
    with pytest.raises(VaultError, match="already"):
        make_first_key(place)
