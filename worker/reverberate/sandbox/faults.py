"""What can be made to go wrong, and how it is written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reverberate.errors import ReverberateError
from reverberate.sandbox.personality import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """A new connection is broken before anything of it is read. It cannot know which network was meant."""
    CUT_REQUEST = "cut-request"
    """The connection breaks when `byte` bytes of the request were read (without `byte`: anywhere); nothing is accepted."""
    ERROR = "error"
    """Nothing is accepted, and the answer is `status`."""
    RATE_LIMIT = "rate-limit"
    """Nothing is accepted: too many requests; come again in `seconds`, said in `dialect`."""
    DUPLICATE = "duplicate"
    """Nothing is accepted: the network says that it has it already, in its own words."""
    EXPIRE = "expire"
    """Nothing is accepted: the token is no longer good. On Bluesky until the session is renewed."""
    REDIRECT = "redirect"
    """Nothing is accepted: the answer is a redirection to the same place."""
    DROP = "drop"
    """It is accepted, and the connection breaks before the answer."""
    HANG = "hang"
    """It is accepted, and nothing is said for `seconds`; then the connection is closed."""
    FAIL = "fail"
    """It is accepted, and the answer is `status`."""
    CUT_ANSWER = "cut-answer"
    """It is accepted, and the connection breaks after `byte` bytes of the answer (without `byte`: anywhere)."""
    TRUNCATE = "truncate"
    """As cut-answer, but the connection is closed in order: what came looks like all there is."""
    DRIP = "drip"
    """It is accepted, and the answer takes `seconds` to arrive, a little at a time."""
    SKEW = "skew"
    """The answer's Date is wrong by `seconds`."""
    LAG = "lag"
    """Listings leave out posts that are younger than `seconds`."""
    MISSING = "missing"
    """Listings leave out each post with the chance `fraction`."""
    VANISH = "vanish"
    """Posts that are younger than `seconds` are not found when they are read alone, or looked at."""


class Dialect(StrEnum):
    """How a rate limit says when to come again."""

    SECONDS = "seconds"
    """`Retry-After: 30`"""
    FLOAT = "float"
    """`Retry-After: 30.000`"""
    DATE = "date"
    """`Retry-After:` an HTTP date"""
    EPOCH = "epoch"
    """the network's reset header in seconds since 1970, as X and Bluesky have it"""
    ISO = "iso"
    """the network's reset header in ISO 8601, as Mastodon has it"""
    USAGE = "usage"
    """`X-Business-Use-Case-Usage` in minutes, as Facebook has it"""
    ABSURD = "absurd"
    """`Retry-After:` something that no client can follow"""
    NONE = "none"
    """not at all"""


APPLIES: Mapping[Kind, frozenset[Purpose]] = {
    Kind.LAG: frozenset({Purpose.LIST}),
    Kind.MISSING: frozenset({Purpose.LIST}),
    Kind.VANISH: frozenset({Purpose.READ, Purpose.PAGE}),
    Kind.DUPLICATE: frozenset({Purpose.PUBLISH}),
    Kind.EXPIRE: frozenset(Purpose) - {Purpose.SIGN_IN, Purpose.PAGE},
}
"""To what a kind applies; those that are not named, to all but pages."""
ALL_BUT_PAGES = frozenset(Purpose) - {Purpose.PAGE}


class WrongFault(ReverberateError):
    """What was asked for is no fault; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request, as far as rules go by it."""

    network: str
    account: str
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule: what goes wrong, with whom, how often.

    Attributes:
        kind: what goes wrong.
        network: with whom; "" is any.
        account: whose; "" is anybody's.
        on: to which requests it applies; "" is all that the kind can apply to.
        probability: the chance for each request that it applies to.
        count: how often at most; None is without end.
        seconds: see the kind.
        byte: see the kind; None is anywhere.
        status: see the kind.
        dialect: see the kind.
        fraction: see the kind.
    """

    kind: Kind
    network: str = ""
    account: str = ""
    on: Purpose | None = None
    probability: float = 1.0
    count: int | None = None
    seconds: float = 5.0
    byte: int | None = None
    status: int = 500
    dialect: Dialect = Dialect.SECONDS
    fraction: float = 0.5

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Fault:
        """A fault from JSON, a form or the command line; empty values count as not given.

        Raises:
            WrongFault: it is none.
        """
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise WrongFault(f"a fault has no {unknown[0]!r}", hint=f"it has {', '.join(sorted(known))}")
        if not given.get("kind"):
            raise WrongFault("the fault's kind is missing", hint=f"one of {', '.join(Kind)}")
        return cls(**{name: _read(name, value) for name, value in given.items() if _is_given(value)})

    def meets(self, occasion: Occasion) -> bool:
        """Whether the rule is about such a request."""
        return (
            self.network in {"", occasion.network}
            and self.account in {"", occasion.account}
            and self.on in {None, occasion.purpose}
            and occasion.purpose in APPLIES.get(self.kind, ALL_BUT_PAGES)
        )


def shown(fault: Fault) -> dict[str, Any]:
    """A fault as JSON has it, without what is as ever."""
    usual = asdict(Fault(kind=fault.kind))
    return {name: value for name, value in asdict(fault).items() if name == "kind" or value != usual[name]}


def parsed(text: str) -> Fault:
    """A fault as the command line has it: ``kind`` or ``kind:name=value,name=value``, or JSON.

    Raises:
        WrongFault: it is none.
    """
    if text.startswith("{"):
        try:
            return Fault.of(json.loads(text))
        except ValueError:
            raise WrongFault(f"{text!r} is no JSON", hint="write kind:name=value,name=value instead") from None
    kind, _, rest = text.partition(":")
    pairs = (pair.partition("=") for pair in rest.split(",") if pair)
    return Fault.of({"kind": kind} | {name.strip(): value.strip() for name, _, value in pairs})


def _read(name: str, value: Any) -> Any:
    """A value as the fault's field of this name has it."""
    try:
        match name:
            case "kind":
                return Kind(value)
            case "on":
                return Purpose(value)
            case "dialect":
                return Dialect(value)
            case "count" | "byte":
                return _between(int(value), 0, 10**9)
            case "status":
                return _between(int(value), 200, 599)
            case "seconds":
                return _between(float(value), -(10**7), 10**7)
            case "probability" | "fraction":
                return _between(float(value), 0, 1)
            case _:
                return str(value)
    except (ValueError, TypeError) as error:
        raise WrongFault(f"the fault's {name} cannot be {value!r}", hint=_may_be(name, error)) from None


def _is_given(value: Any) -> bool:
    return value is not None and value != ""


def _between(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise ValueError(f"it is a number from {least} to {most}")
    return number


def _may_be(name: str, error: Exception) -> str:
    names: Mapping[str, type[StrEnum]] = {"kind": Kind, "on": Purpose, "dialect": Dialect}
    if name in names:
        return f"one of {', '.join(names[name])}"
    return str(error) if "it is a number from" in str(error) else "it is a number"
