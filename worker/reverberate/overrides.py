"""What a blogger says about sharing inside the post itself: ``reverberate:`` in its front matter or feed entry. Pure.

::

    reverberate:
      hashtags: [open web]      # added to the post's tags
      delay: 2h                 # after the account's own delay
      at: 2026-12-24 09:00      # at this time, on the blogger's clock, whatever the account's schedule says
      evergreen: false          # never shared again
      alt: A map of Europe      # what the leading picture shows
      warning: Film spoilers    # a content warning, where the network has them
      text: The words to share  # instead of the template
      skip: [page]              # these accounts; true for all
      accounts:
        fedi: {text: Other words, delay: 10m, skip: false}
      page: Words for the page  # the same, shorter: an account's name, and its words or its table

What stands under an account's name goes before what stands above it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reverberate import walltime
from reverberate.errors import ReverberateError
from reverberate.schedule import parse_duration

if TYPE_CHECKING:
    from datetime import datetime, timedelta

KEYS = ("text", "skip", "hashtags", "delay", "at", "evergreen", "alt", "warning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a post says for one account.

    Attributes:
        text: the words to share instead of what the template makes, or None.
        skip: whether the account is left out.
        hashtags: added to the post's own tags, as written by the author.
        delay: added to the account's own delay, or None.
        at: when to share it (naive: on the blogger's clock), or None.
        evergreen: whether it may be shared again later.
        alt: what the leading picture shows, or None.
        warning: the content warning, or None.
        said: the keys that were given, for people.
    """

    text: str | None = None
    skip: bool = False
    hashtags: tuple[str, ...] = ()
    delay: timedelta | None = None
    at: datetime | None = None
    evergreen: bool = True
    alt: str | None = None
    warning: str | None = None
    said: tuple[str, ...] = ()


def override(extra: Mapping[str, Any], account: str, *, accounts: Collection[str] = ()) -> Override:
    """What the post's ``extra`` says for an account; ``accounts`` are the names of all.

    Raises:
        ReverberateError: it cannot be understood; the text says which key and what was expected.
    """
    told = extra.get("reverberate")
    if told is None or told == {}:
        return Override()
    table = _table(told, "reverberate")
    _known(table, (*KEYS, "accounts", account, *accounts), "reverberate")
    general = _read({key: value for key, value in table.items() if key in KEYS}, "reverberate", account)
    for where, own in _own_tables(table, account):
        _known(own, KEYS, where)
        general = _merged(general, _read(own, where, account))
    return general


def _own_tables(table: Mapping[str, Any], account: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What is said under the account's name, in either place."""
    named = _table(table.get("accounts", {}), "reverberate.accounts")
    for where, own in (
        (f"reverberate.{account}", table.get(account) if account not in {*KEYS, "accounts"} else None),
        (f"reverberate.accounts.{account}", named.get(account)),
    ):
        if own is not None:
            yield where, {"text": own} if isinstance(own, str) else _table(own, where)


def _merged(general: Override, own: Override) -> Override:
    given = {key: getattr(own, key) for key in own.said}
    return replace(general, **given, said=tuple(dict.fromkeys((*general.said, *own.said))))


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ReverberateError(f"the post's {where} is no mapping", hint=f"known keys are: {', '.join(KEYS)}, accounts")
    return value


def _known(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise ReverberateError(
                f"the post's {where} has an unknown key {key!r}", hint=f"known are: {', '.join(keys)}"
            )


def _read(table: Mapping[str, Any], where: str, account: str) -> Override:
    found: dict[str, Any] = {}
    for key, value in table.items():
        try:
            found[key] = _value(key, value, account)
        except (TypeError, ValueError) as error:
            raise ReverberateError(f"the post's {where}.{key}: {error}") from None
    return Override(**found, said=tuple(found))


def _value(key: str, value: object, account: str) -> object:
    match key:
        case "skip":
            return _skips(value, account)
        case "hashtags":
            return _words(value)
        case "delay":
            if not isinstance(value, str):
                raise TypeError('a length of time is a text like "10m"')
            return parse_duration(value)
        case "at":
            return walltime.read(str(value))  # YAML may have made a datetime of it
        case "evergreen":
            if not isinstance(value, bool):
                raise TypeError("expected true or false")
            return value
        case _:
            if not isinstance(value, str) or not value.strip():
                raise TypeError("expected a text")
            return value.strip()


def _skips(value: object, account: str) -> bool:
    if isinstance(value, bool):
        return value
    return account in _words(value)


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise TypeError("expected a list of texts")
    return tuple(value)
