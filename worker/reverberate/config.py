"""One file, ``reverberate.toml``: typed, checked as a whole, every problem told at once with file, line and hint."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta  # noqa: TC003 - dataclass users resolve annotations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from reverberate.config_faults import expected, fields, lines, meant, place
from reverberate.config_notices import TABLES, AnyNotice
from reverberate.config_tables import AccountTable, Evergreen, Service, Site, SourceTable, Statistics
from reverberate.errors import ConfigError, ReverberateError
from reverberate.policy import MAX_LATE, WAITS
from reverberate.schedule import Daily, Pace, Schedule
from reverberate.secrets import VAULT, Secret, SecretMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverberate.networks.base import Network, NetworkSettings
    from reverberate.plugins import Plugins
    from reverberate.sources.base import Source, SourceSettings

FILE = "reverberate.toml"
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One configured place on a network."""

    name: str
    network: str
    settings: NetworkSettings
    when: str | None = None
    schedule: Schedule = field(default_factory=Schedule)
    template: str | None = None
    on_unsure: str = "ask"
    on_update: str = "ignore"
    preflight: tuple[timedelta, ...] | None = None
    picture: str = "card"
    numbering: str = "none"
    max_late: timedelta = MAX_LATE
    retry: tuple[timedelta, ...] = WAITS
    settle: timedelta | None = None
    budget: int | None = None
    paces: Mapping[str, Pace | Daily] = field(default_factory=dict)
    approval: bool = False
    evergreen: Evergreen | None = None
    statistics: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One configured source."""

    name: str
    type: str
    settings: SourceSettings
    every: timedelta
    backfill: int = 0
    flood: int = 10
    approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole config, valid."""

    path: Path
    site: Site
    service: Service
    accounts: Mapping[str, Account]
    sources: Mapping[str, SourceConfig]
    notices: Mapping[str, AnyNotice] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def folder(self) -> Path:
        """Where the file lies; its relative paths start here."""
        return self.path.resolve().parent

    @property
    def data(self) -> Path:
        """Where the database and the embedded Redis live."""
        return self.folder / Path(self.service.data).expanduser()

    @property
    def templates(self) -> Path:
        """The owner's templates."""
        return self.folder / Path(self.service.templates).expanduser()

    @property
    def zone(self) -> ZoneInfo:
        """The blogger's time zone."""
        return ZoneInfo(self.site.timezone)

    def database_url(self) -> str:
        """From the config, else from DATABASE_URL or the file that DATABASE_URL_FILE names, else SQLite in ``data``."""
        return _address(self.service.database, "DATABASE_URL") or f"sqlite:///{self.data / 'reverberate.db'}"

    def redis_url(self) -> str:
        """From the config, else from REDIS_URL or the file that REDIS_URL_FILE names, else ""."""
        return _address(self.service.redis, "REDIS_URL")


def _address(reference: Secret | None, variable: str) -> str:
    if reference is not None:
        return reference.reveal()
    if named := os.environ.get(f"{variable}_FILE"):
        return Secret("file", named).reveal()
    return os.environ.get(variable, "")


def load(path: Path, *, networks: Plugins[Network], sources: Plugins[Source]) -> Config:
    """Read and check the config.

    Raises:
        ConfigError: with every problem found, each naming file, line, key and what was expected.
    """
    text = _read(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from None
    return _Reader(path, text, document, networks, sources).config()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file (make one with: reverberate init)"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from None


class _Reader:
    """Turns a TOML document into a Config, collecting problems instead of stopping at the first."""

    def __init__(
        self,
        path: Path,
        text: str,
        document: dict[str, Any],
        networks: Plugins[Network],
        sources: Plugins[Source],
    ) -> None:
        self._path, self._document, self._networks, self._sources = path, document, networks, sources
        self._lines: dict[tuple[str, ...], int] = {}
        for key, number in lines(text):
            for length in range(1, len(key) + 1):
                self._lines.setdefault(key[:length], number)
        self._problems: list[tuple[int, str]] = []

    def config(self) -> Config:
        known = ("site", "service", "accounts", "sources", "notices", "statistics")
        for key in self._document.keys() - set(known):
            self._problem((key,), f"unknown table{meant(key, known)}")
        site = self._table(("site",), Site) or Site()
        service = self._table(("service",), Service) or Service()
        zone = ZoneInfo(site.timezone)
        accounts = [self._account(name, table, zone) for name, table in self._tables("accounts")]
        sources = [self._source(name, table) for name, table in self._tables("sources")]
        notices = {name: self._notice(name, table) for name, table in self._tables("notices")}
        statistics = self._table(("statistics",), Statistics) or Statistics()
        if self._problems:
            raise ConfigError([words for _, words in sorted(self._problems)])
        return Config(
            path=self._path,
            site=site,
            service=service,
            accounts={account.name: account for account in accounts if account},
            sources={source.name: source for source in sources if source},
            notices={name: notice for name, notice in notices.items() if notice},
            statistics=statistics,
        )

    def _tables(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        tables = self._document.get(kind, {})
        if not isinstance(tables, dict):
            self._problem((kind,), f"expected tables like [{kind}.name]")
            return
        for name, table in tables.items():
            if not re.match(NAME, name):
                self._problem((kind, name), "a name has small letters, digits, - and _ only")
            elif not isinstance(table, dict):
                self._problem((kind, name), f"expected a table [{kind}.{name}]")
            else:
                yield name, table

    def _account(self, name: str, table: dict[str, Any], zone: ZoneInfo) -> Account | None:
        where = ("accounts", name)
        split = self._split(where, table, AccountTable, "network", self._networks)
        if split is None:
            return None
        common, settings = split
        plain = {key: getattr(common, key) for key in AccountTable.model_fields if key != "schedule"}
        schedule = common.schedule
        return Account(name=name, settings=settings, schedule=schedule.schedule(), paces=schedule.paces(zone), **plain)

    def _source(self, name: str, table: dict[str, Any]) -> SourceConfig | None:
        split = self._split(("sources", name), table, SourceTable, "type", self._sources)
        if split is None:
            return None
        common, settings = split
        own = {"name": name, "settings": settings}
        return SourceConfig(**own, **{key: getattr(common, key) for key in SourceTable.model_fields})

    def _notice(self, name: str, table: dict[str, Any]) -> AnyNotice | None:
        where, kind = ("notices", name), table.get("type")
        if not isinstance(kind, str) or kind not in TABLES:
            missing = "is missing" if kind is None else f"unknown type {kind!r}"
            self._problem((*where, "type"), f"{missing} (known are: {', '.join(TABLES)})")
            return None
        found: AnyNotice | None = self._model(where, table, TABLES[kind])
        return found

    def _split(
        self, where: tuple[str, ...], table: dict[str, Any], common: Any, key: str, plugins: Plugins[Any]
    ) -> tuple[Any, Any] | None:
        """The keys that all share and the plug-in's own, each checked by its model."""
        shared = {name: value for name, value in table.items() if name in common.model_fields}
        own = {name: value for name, value in table.items() if name not in common.model_fields}
        first = self._model(where, shared, common)
        plugin = self._plugin((*where, key), table.get(key), plugins)
        second = self._model(where, own, plugin.Settings, also=common.model_fields) if plugin else None
        return (first, second) if first is not None and second is not None else None

    def _plugin(self, where: tuple[str, ...], name: object, plugins: Plugins[Any]) -> Any:
        if not isinstance(name, str):
            return None  # the model of the common keys has said so
        try:
            return plugins.get(name)
        except ReverberateError as error:
            self._problem(where, str(error))
            return None

    def _table(self, where: tuple[str, ...], model: type[Any]) -> Any:
        return self._model(where, self._document.get(where[0], {}), model)

    def _model(self, where: tuple[str, ...], value: Any, model: type[BaseModel], *, also: Any = ()) -> Any:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_context=True, include_input=False):
                known = [*fields(model, found["loc"]), *(also if len(found["loc"]) == 1 else ())]
                self._problem((*where, *place(found["loc"])), expected(dict(found), known))
        return None

    def _problem(self, key: tuple[str, ...], words: str) -> None:
        line = next((self._lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self._lines), 0)
        self._problems.append((line, f"{self._path}:{line or 1}: {'.'.join(key)}: {words}"))


def missing_secrets(config: Config) -> list[str]:
    """One line for each secret that the config refers to and that is not there."""
    tables: list[tuple[str, BaseModel]] = [
        (f"accounts.{account.name}", account.settings) for account in config.accounts.values()
    ]
    tables += [(f"sources.{source.name}", source.settings) for source in config.sources.values()]
    tables += [(f"notices.{name}", table) for name, table in config.notices.items()]
    tables += [("service", config.service)]
    found = []
    for where, model in tables:
        for name in type(model).model_fields:
            value = getattr(model, name)
            if isinstance(value, Secret):
                if value.kind == VAULT and where.startswith("accounts."):
                    continue  # only the database knows; `doctor` looks there
                found += [f"{config.path}: {where}.{name}: {words}" for words in _missing(value)]
    return found


def _missing(secret: Secret) -> list[str]:
    try:
        secret.reveal()
    except SecretMissing as error:
        return [str(error)]
    return []
