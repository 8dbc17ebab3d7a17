"""Between frozen values and what a row holds. A body that this version cannot read is an error, never a guess."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from reverberate.model import (
    AccountState,
    Attempt,
    Chore,
    Event,
    Message,
    Post,
    Receipt,
    Share,
    ShareState,
    SourceState,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

_READ: tuple[Any, ...] = (AccountState, Attempt, Chore, Event, Share, SourceState)
_NAMES: dict[Any, tuple[str, ...]] = {kind: tuple(f.name for f in fields(kind)) for kind in _READ}
_post = TypeAdapter(Post)
_message = TypeAdapter(Message)
V = TypeVar("V", AccountState, Attempt, Chore, Event, SourceState)


def dump_post(post: Post) -> Any:
    """As JSON values."""
    return _post.dump_python(post, mode="json")


def load_post(body: Any) -> Post:
    """Back from JSON values."""
    return _post.validate_python(body)


def dump_message(message: Message) -> Any:
    """As JSON values."""
    return _message.dump_python(message, mode="json")


def written_message(message: Message) -> str:
    """As JSON text."""
    return _message.dump_json(message).decode()


def load_message(body: Any) -> Message:
    """Back from JSON values."""
    return _message.validate_python(body)


def load_share(row: Row[Any]) -> Share:
    """A share from a row that has the table's columns under their own names."""
    at = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name access
    values = {name: at[name] for name in _NAMES[Share] if name not in {"state", "receipt"}}
    receipt = None if at["remote_id"] is None else Receipt(remote_id=at["remote_id"], permalink=at["permalink"] or "")
    return Share(**values, state=ShareState(at["state"]), receipt=receipt)


def load(kind: type[V], row: Row[Any]) -> V:
    """A value whose fields are the row's columns."""
    at = row._mapping  # noqa: SLF001 - as above
    return kind(**{name: at[name] for name in _NAMES[kind]})
