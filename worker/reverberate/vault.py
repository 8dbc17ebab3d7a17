"""The vault's locks: each secret is sealed with AES-256-GCM for one account and one field, under a key kept elsewhere.

The keys lie in a file that only its owner can read, or in the environment; never beside the database unless somebody
puts them there. The first key seals, every key opens: that is how keys are changed without a moment in which a secret
cannot be read. What is sealed for one place opens at no other (the account, the field and the key's id are bound to it
as associated data), so that a row which was moved or changed is an error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reverberate.errors import ReverberateError
from reverberate.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverberate.secrets import Secret

KEY_BYTES, NONCE_BYTES = 32, 12
VARIABLE = "REVERBERATE_VAULT_KEY"
"""Holds the keys themselves, the newest first; ``..._FILE`` names the file instead."""
FILE = "vault.key"
HEADER = "# Reverberate's vault keys, the newest first. Whoever has this file and the database has your tokens."


class VaultError(ReverberateError):
    """The vault cannot be opened; the text says why and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret at rest: under which key, and the nonce with the ciphertext."""

    key: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys, the newest first; never printed."""

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def newest(self) -> str:
        """The id of the key that seals: it tells the key from others, and nothing about it."""
        return key_id(self.keys[0])

    def seal(self, account: str, name: str, secret: str) -> Sealed:
        """The secret, readable for this account's field only."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self.keys[0]).encrypt(nonce, secret.encode(), _place(account, name, self.newest))
        return Sealed(self.newest, nonce + sealed)

    def open(self, account: str, name: str, sealed: Sealed) -> str:
        """The secret again.

        Raises:
            VaultError: no key fits, or the row is not what was sealed for this place.
        """
        key = next((key for key in self.keys if key_id(key) == sealed.key), None)
        if key is None:
            raise VaultError(
                f"the vault's {name} of {account} is sealed under key {sealed.key}, which is not here",
                hint="give the vault its key again, or connect the account anew",
            )
        try:
            nonce, rest = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, rest, _place(account, name, sealed.key)).decode()
        except (InvalidTag, ValueError):
            pass
        raise VaultError(f"the vault's {name} of {account} was changed or moved", hint="connect the account anew")


def _place(account: str, name: str, key: str) -> bytes:
    return f"{account}\0{name}\0{key}".encode()


def key_id(key: bytes) -> str:
    """A short name for a key, drawn from it by a one-way function."""
    return hashlib.sha256(b"reverberate vault key id\0" + key).hexdigest()[:16]


def new_key() -> bytes:
    """A fresh key from the system's own source of chance."""
    return os.urandom(KEY_BYTES)


def parse_keys(text: str, *, where: str) -> Keyring:
    """The keys in a text: base64, one a line or word; ``#`` begins a comment.

    Raises:
        VaultError: there is none, or one is no key. The text never repeats what it read.
    """
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    try:
        keys = tuple(base64.b64decode(word, validate=True) for word in words)
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise VaultError(
            f"{where} holds no vault key ({KEY_BYTES} bytes in base64)", hint="reverberate vault init makes one"
        )
    return Keyring(keys)


def write_keys(path: Path, keys: Sequence[bytes]) -> None:
    """Put the keys into the file at once and durably; only its owner can read it from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = "\n".join([HEADER, *(base64.b64encode(key).decode() for key in keys), ""])
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_keys(path: Path) -> Keyring:
    """The keys in a file.

    Raises:
        VaultError: it is not there, cannot be read, holds no key, or others than its owner can read it.
    """
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read()
    except FileNotFoundError:
        raise VaultError(f"there is no vault key at {path}", hint="reverberate vault init makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        trouble = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise VaultError(f"the vault key {path} cannot be read: {trouble}") from None
    if mode & 0o077:
        raise VaultError(f"others can read the vault key {path} (mode {mode:04o})", hint=f"chmod 600 {path}")
    return parse_keys(text, where=str(path))


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the keys are: a file, or words that are given (``path`` is None)."""

    path: Path | None
    read: Callable[[], Keyring] = field(repr=False)
    words: str = ""


def key_place(configured: Secret | None = None) -> KeyPlace:
    """Where the vault's keys are: what the config says, else the environment, else a file of the user's own.

    In this order: ``service.vault_key``; REVERBERATE_VAULT_KEY; the file that REVERBERATE_VAULT_KEY_FILE names;
    ``vault.key`` among systemd's credentials; ``~/.config/reverberate/vault.key``.
    """
    if configured is not None and configured.kind == "file":
        return _in_file(Path(configured.place).expanduser())
    if configured is not None:
        return KeyPlace(None, lambda: parse_keys(_revealed(configured), where=str(configured)), str(configured))
    if VARIABLE in os.environ:
        return KeyPlace(None, lambda: parse_keys(os.environ[VARIABLE], where=VARIABLE), f"the variable {VARIABLE}")
    return _in_file(_key_file())


def _in_file(path: Path) -> KeyPlace:
    return KeyPlace(path, lambda: read_keys(path), str(path))


def _revealed(secret: Secret) -> str:
    try:
        return secret.reveal()
    except SecretMissing as error:
        raise VaultError(f"the vault has no key: {error}") from None


def _key_file() -> Path:
    if named := os.environ.get(f"{VARIABLE}_FILE"):
        return Path(named).expanduser()
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (given := Path(credentials) / FILE).exists():
        return given
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "reverberate" / FILE
