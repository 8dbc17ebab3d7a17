"""Opening the database and bringing its schema up to date.

SQLite runs in WAL mode with ``synchronous=FULL``: an intent or a receipt that was committed survives a power cut.
Writers take the lock at once (BEGIN IMMEDIATE), so that no transaction fails half-way for want of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from reverberate.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import ExceptionContext

BUSY_SECONDS = 45
"""How long a lock of another process (a copy being made, say) is waited for; half a minute of it is to be borne."""
MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The newest revision: the files are numbered."""
READ_ONLY = ("readonly database", "read-only transaction")
"""How SQLite and PostgreSQL say that a connection cannot write."""
MIGRATION_LOCK = 0x5265_7665_7262  # "Reverb": PostgreSQL's advisory lock for one migration at a time


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql://...``; nothing is opened yet.

    Raises:
        StoreError: the address is none that we can use. Its password is in no text.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the database address cannot be read", hint="sqlite:///path or postgresql://...") from None
    match parsed.get_backend_name():
        case "sqlite":
            engine = _sqlite(parsed.database or "")
        case "postgresql":
            engine = _postgresql(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise StoreError(f"no such database kind: {other}", hint="sqlite:///path or postgresql://...")
    event.listen(engine, "handle_error", _leave_what_only_reads)
    return engine


def _leave_what_only_reads(context: ExceptionContext) -> None:
    """A connection made while the database could only be read stays so for its life: let new ones be made."""
    if any(words in str(context.original_exception) for words in READ_ONLY):
        context.is_disconnect = True


def _sqlite(path: str) -> Engine:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: Any) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=20)
    except ModuleNotFoundError:
        raise StoreError("PostgreSQL needs its driver", hint="pip install 'reverberate[postgresql]'") from None


def migrate(engine: Engine) -> None:
    """Bring the schema up to date; one process does it, the others wait.

    Raises:
        StoreError: the database cannot be reached, or its schema is newer than this program.
    """
    with explained(engine):
        with engine.execution_options(writes=False).connect() as connection:
            if _revision(connection) == HEAD:
                return  # nobody's lock was waited for
        with engine.connect() as connection, _locked(connection):
            _upgrade(connection, engine.url.render_as_string(hide_password=True))
            connection.commit()


def _revision(connection: Connection) -> str:
    """The schema's present revision; "" for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or ""


def _upgrade(connection: Connection, where: str) -> None:
    from alembic import command  # slow to import, and needed once in a schema's life
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        what = f"the database {where} is newer than this program: {error}"
        raise StoreError(what, hint="upgrade Reverberate") from error


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    # SQLite: the write transaction that has begun is the lock. PostgreSQL: an advisory lock to the transaction's end.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    else:
        connection.execute(text("SELECT 1"))
    yield


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what the driver throws into one line that says which database and why."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"the database {where} cannot be used: {_first_line(error.orig)}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database {where} cannot be used: {_first_line(error)}") from error


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
