"""Looking after the vault's keys: making the first one, changing it, and telling what is sealed under which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverberate.failpoints import reach
from reverberate.store import connections
from reverberate.vault import Keyring, VaultError, key_id, new_key, write_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reverberate.store import Store
    from reverberate.vault import KeyPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultStatus:
    """What a person may know of the vault; nothing of it is secret.

    Attributes:
        place: where the keys are.
        keys: their ids, the newest first.
        sealed: how many secrets are under each key.
        trouble: why the keys cannot be used, or what is unwise about their place; "" where all is well.
        usable: whether secrets can be sealed and opened.
    """

    place: str
    keys: tuple[str, ...]
    sealed: Mapping[str, int]
    trouble: str = ""
    usable: bool = True


def make_first_key(place: KeyPlace) -> Path:
    """Make the vault's first key, where there is none.

    Raises:
        VaultError: there is one, or it is not ours to write.
    """
    path = _writable(place)
    if path.exists():
        raise VaultError(f"there is a vault key at {path} already", hint="reverberate vault rotate changes it")
    write_keys(path, [new_key()])
    return path


def rotate(store: Store, place: KeyPlace) -> int:
    """Seal everything under a new key; how many secrets that were.

    Whatever is killed when, every secret stays readable, and a second run goes on where the first one ended. The key
    before stays in the file until the next rotation, for it opens backups and what another process is sealing now.

    Raises:
        VaultError: the keys are not ours to write, one is missing, or a secret cannot be opened. Nothing has changed.
    """
    keys = place.read()
    with store.read() as tx:
        used = connections.keys_in_use(tx)
    if not _unfinished(keys, used):
        keys = _renewed(keys, used)
        write_keys(_writable(place), keys.keys)  # first, for what is sealed under a key that nobody has is lost
    reach("rotate: key written")
    with store.write() as tx:
        rows = connections.under_other_keys(tx, keys.newest)
        for account, name, sealed in rows:
            secret = keys.open(account, name, sealed)
            connections.put(tx, account, {name: keys.seal(account, name, secret)})
        reach("rotate: before commit")
    return len(rows)


def look(store: Store, place: KeyPlace, *, data: Path) -> VaultStatus:
    """The vault's state; ``data`` is the database's folder."""
    with store.read() as tx:
        sealed = connections.keys_in_use(tx)
    try:
        ids = tuple(key_id(key) for key in place.read().keys)
    except VaultError as error:
        return VaultStatus(place=place.words, keys=(), sealed=sealed, trouble=str(error), usable=False)
    if missing := sealed.keys() - set(ids):
        words = f"secrets are sealed under keys that are not here: {', '.join(sorted(missing))}"
        return VaultStatus(place=place.words, keys=ids, sealed=sealed, trouble=words, usable=False)
    near = place.path is not None and place.path.resolve().is_relative_to(data.resolve())
    words = "the key lies beside the database: whoever copies the folder has both" if near else ""
    return VaultStatus(place=place.words, keys=ids, sealed=sealed, trouble=words)


def _unfinished(keys: Keyring, used: Mapping[str, int]) -> bool:
    """Whether there is a key that nothing is sealed under yet: an earlier rotation wrote it, or its owner."""
    return len(keys.keys) > 1 and bool(used) and keys.newest not in used


def _renewed(keys: Keyring, used: Mapping[str, int]) -> Keyring:
    """A new key, the one before, and those that something is still under."""
    if missing := used.keys() - {key_id(key) for key in keys.keys}:
        raise VaultError(f"secrets are sealed under keys that are not here: {', '.join(sorted(missing))}")
    before, *older = keys.keys
    return Keyring((new_key(), before, *(key for key in older if key_id(key) in used)))


def _writable(place: KeyPlace) -> Path:
    if place.path is None:
        raise VaultError(
            f"the vault's key is given by {place.words}, which is not ours to write",
            hint="put a new key (openssl rand -base64 32) before the old one there, and rotate again",
        )
    return place.path
