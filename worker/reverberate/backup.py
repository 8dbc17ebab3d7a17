"""One file with all that cannot be had again: the database, the config and your own templates. Secrets are not in it.

A gzipped tar: ``manifest.json`` first (which schema, how many rows, a SHA-256 of each other member), then the tables
as JSON lines, the same for SQLite and PostgreSQL, then the files. Sealed with age where a recipient is named.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from reverberate import __version__
from reverberate.errors import ReverberateError
from reverberate.store import Store, dump, watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverberate.config import Config

FORMAT = 1
MANIFEST, CONFIG, TEMPLATES, TABLES = "manifest.json", "config.toml", "templates", "tables"
AGE = b"age-encryption.org/v1"
LIVING = timedelta(seconds=30)
"""A process that gave a sign of life so recently runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore came to: when the backup was made, rows by table, files written and left, shares to look at."""

    made: datetime
    rows: Mapping[str, int]
    written: tuple[Path, ...]
    left: tuple[Path, ...]
    unsure: int


def back_up(config: Config, store: Store, target: Path, *, recipients: Sequence[str] = ()) -> dict[str, Any]:
    """Write a backup while everything runs; the manifest.

    Raises:
        ReverberateError: the file cannot be written, or a recipient is none.
    """
    keys = [_recipient(one) for one in recipients]
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.absolute().parent) as folder:
            members = _members(config, store, Path(folder))
            manifest = _manifest(members, now=datetime.now(UTC))
            packed = Path(folder) / "packed"
            _pack(packed, manifest, members)
            _seal(packed, Path(folder) / "sealed", keys).replace(target)
    except OSError as error:
        raise ReverberateError(f"the backup {target} cannot be written: {error.strerror or error}") from None
    return manifest


def _members(config: Config, store: Store, folder: Path) -> dict[str, tuple[Path, int | None]]:
    """Each member: where its bytes lie, and how many rows it has, if it is a table."""
    members: dict[str, tuple[Path, int | None]] = {}
    with store.read() as tx:
        dump.freeze(tx)
        for name in dump.names():
            path, number = folder / f"{name}.jsonl", 0
            with path.open("w", encoding="utf-8") as lines:
                for number, row in enumerate(dump.rows(tx, name), start=1):  # noqa: B007 - the last number is the count
                    lines.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            members[f"{TABLES}/{name}.jsonl"] = (path, number)
    members[CONFIG] = (config.path, None)
    for path in sorted(config.templates.rglob("*")):
        if path.is_file():
            members[f"{TEMPLATES}/{path.relative_to(config.templates).as_posix()}"] = (path, None)
    return members


def _manifest(members: Mapping[str, tuple[Path, int | None]], *, now: datetime) -> dict[str, Any]:
    described = {
        name: {"sha256": _digest(path), "bytes": path.stat().st_size} | ({} if rows is None else {"rows": rows})
        for name, (path, rows) in members.items()
    }
    about = {"format": FORMAT, "version": __version__, "schema": dump.schema(), "made": now.isoformat()}
    return about | {"members": described}


def _digest(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _pack(target: Path, manifest: Mapping[str, Any], members: Mapping[str, tuple[Path, int | None]]) -> None:
    with tarfile.open(target, "w:gz") as tar:
        text = json.dumps(manifest, indent=2).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        tar.addfile(entry, io.BytesIO(text))
        for name, (path, _) in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o600
            with path.open("rb") as data:
                tar.addfile(entry, data)


def _seal(packed: Path, sealed: Path, keys: Sequence[Any]) -> Path:
    """The file to keep, for its owner's eyes only."""
    if keys:
        import pyrage  # noqa: PLC0415 - optional

        with packed.open("rb") as source, sealed.open("wb") as target:
            pyrage.encrypt_io(source, target, list(keys))
    kept = sealed if keys else packed
    kept.chmod(0o600)
    with kept.open("rb") as data:
        os.fsync(data.fileno())
    return kept


def _recipient(text: str) -> Any:
    pyrage = _pyrage()
    for parse in (pyrage.x25519.Recipient.from_str, pyrage.ssh.Recipient.from_str):
        with suppress(pyrage.RecipientError):
            return parse(text)
    raise ReverberateError(f"{text[:20]!r} is no recipient of age", hint="age1... or an SSH public key")


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        raise ReverberateError("sealing needs pyrage", hint="pip install 'reverberate[backup]'") from None
    return pyrage


class Backup:
    """A backup, opened and found whole.

    Raises:
        ReverberateError: it cannot be read, is not whole, or is of another schema.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self._folder, self._members = folder, manifest["members"]
        self.made = datetime.fromisoformat(manifest["made"])

    @property
    def config(self) -> Path:
        """The config that was in use."""
        return self._folder / CONFIG

    def templates(self) -> dict[PurePosixPath, Path]:
        """The owner's templates, by their names."""
        prefix = f"{TEMPLATES}/"
        names = [name for name in self._members if name.startswith(prefix)]
        return {PurePosixPath(name.removeprefix(prefix)): self._folder / name for name in names}

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """A table's rows; none if the backup does not know it."""
        path = self._folder / TABLES / f"{table}.jsonl"
        if path.exists():
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)


@contextmanager
def opened(source: Path, *, identity: Path | None = None) -> Iterator[Backup]:
    """Open a backup and check it as a whole, before anything is done with it. Raises as Backup."""
    with tempfile.TemporaryDirectory(prefix="reverberate-restore-") as name:
        folder = Path(name)
        try:
            packed = _unseal(source, folder / "packed", identity)
            manifest = _unpack(packed, folder / "members")
        except (OSError, tarfile.TarError, ValueError, KeyError, EOFError) as error:
            raise ReverberateError(f"{source} is no whole backup: {_words(error)}") from None
        if manifest["schema"] != dump.schema():
            what = f"{source} was made with schema {manifest['schema']} by Reverberate {manifest['version']}"
            raise ReverberateError(f"{what}; this program has {dump.schema()}", hint="restore it with that version")
        yield Backup(folder / "members", manifest)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _unseal(source: Path, target: Path, identity: Path | None) -> Path:
    with source.open("rb") as data:
        if data.read(len(AGE)) != AGE:
            return source
        if identity is None:
            raise ReverberateError(f"{source} is sealed with age", hint="--identity FILE opens it")
        data.seek(0)
        _open_age(data, target, identity)
    return target


def _open_age(data: IO[bytes], target: Path, identity: Path) -> None:
    pyrage, text = _pyrage(), identity.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines]
        keys = keys or [pyrage.ssh.Identity.from_buffer(text.encode())]
        with target.open("wb") as plain:
            pyrage.decrypt_io(data, plain, keys)
    except (pyrage.IdentityError, pyrage.DecryptError) as error:
        trouble = f"{identity} does not open it: {error}"
    else:
        return
    raise ReverberateError(trouble)


def _unpack(packed: Path, folder: Path) -> dict[str, Any]:
    """Write the members out, each checked against the manifest; a name that leads elsewhere is refused."""
    with tarfile.open(packed, "r:gz") as tar:
        first = tar.next()
        if first is None or first.name != MANIFEST:
            raise ValueError("its manifest is missing")
        manifest: dict[str, Any] = json.load(_data(tar, first))
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']}, not {FORMAT}")
        expected = dict(manifest["members"])
        while (entry := tar.next()) is not None:
            about, path = expected.pop(entry.name, None), PurePosixPath(entry.name)
            if about is None or path.is_absolute() or ".." in path.parts or not entry.isfile():
                raise ValueError(f"it holds {entry.name!r}")
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as plain:
                shutil.copyfileobj(_data(tar, entry), plain)
            if _digest(target) != about["sha256"]:
                raise ValueError(f"{entry.name} is damaged")
    if expected:
        raise ValueError(f"{next(iter(expected))} is missing")
    return manifest


def _data(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    data = tar.extractfile(entry)
    if data is None:
        raise ValueError(f"{entry.name} is no file")
    return data


def running(store: Store, *, now: datetime) -> str:
    """Which process works on that database, in words; "" if none gave a sign of life lately."""
    with store.read() as tx:
        found = watch.alive(tx, since=now - LIVING)
    return ", ".join(f"{one.role} {one.name}" for one in found)


def restore(
    backup: Backup, config: Config, store: Store, *, harmless: frozenset[str] = frozenset(), force: bool = False
) -> Restored:
    """Fill the database from a backup, in one transaction, and let nothing be sent twice (``dump.make_safe``).

    Templates are written where there are none of that name; what is there stays.

    Raises:
        ReverberateError: a process works on the database, or it is not empty and ``force`` is not given.
    """
    now = datetime.now(UTC)
    if alive := running(store, now=now):
        raise ReverberateError(f"the service runs on that database: {alive}", hint="stop it, wait half a minute")
    with store.write() as tx:
        if not force and not dump.empty(tx):
            raise ReverberateError("that database is not empty", hint="--force overwrites all that is in it")
        dump.wipe(tx)
        rows = {name: dump.write(tx, name, backup.rows(name)) for name in dump.names()}
        dump.number_on(tx)
        unsure = dump.make_safe(tx, made=backup.made, now=now, harmless=harmless)
    written, left = place({config.templates / name: path for name, path in backup.templates().items()})
    return Restored(made=backup.made, rows=rows, written=written, left=left, unsure=unsure)


def place(files: Mapping[Path, Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Write files where there are none; which were written, and which are there already and say something else."""
    written, left = [], []
    for target, source in files.items():
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(target)
        elif target.read_bytes() != source.read_bytes():
            left.append(target)
    return tuple(written), tuple(left)
