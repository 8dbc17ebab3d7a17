"""What can go wrong, named after what to do next.

Two families, and nothing else is raised on purpose::

    Exception
    ├── Outcome              what one attempt came to, when it is no Receipt
    │   ├── Transient        nothing was posted; the same may succeed later
    │   ├── RateLimited      nothing was posted; the account must wait
    │   ├── Unauthorised     nothing was posted; the owner must reconnect
    │   ├── OutOfCredit      nothing was posted; the owner must pay or wait for the cycle
    │   ├── Refused          nothing was posted, and this message never will be
    │   ├── Duplicate        the network says that it has it already
    │   ├── Unsure           it may have been posted
    │   └── Retired          the network is gone
    └── ReverberateError     a person has to mend something: config, template, source, command
        ├── Missing
        ├── ConfigError
        ├── TemplateError
        ├── SourceError
        └── StoreError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from reverberate.model import Receipt


class Outcome(Exception):
    """Base of all outcomes of an attempt that brought no receipt.

    Attributes:
        words: what happened, in the network's own words where there are any; never holds a secret.
        status: the HTTP status that was answered, if one was.
    """

    def __init__(self, words: str, *, status: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class Transient(Outcome):
    """Certainly nothing was posted; the same may succeed later.

    ``after`` is the network's own word on how long to wait, if it gave one.
    """

    def __init__(self, words: str, *, status: int | None = None, after: timedelta | None = None) -> None:
        super().__init__(words, status=status)
        self.after = after


class RateLimited(Outcome):
    """Nothing was posted; the whole account must wait until ``until`` (aware), or as long as we see fit if None."""

    def __init__(self, words: str, *, status: int | None = None, until: datetime | None = None) -> None:
        super().__init__(words, status=status)
        self.until = until


class Unauthorised(Outcome):
    """Nothing was posted; the account's owner must reconnect it. The account is paused, its shares wait."""


class OutOfCredit(Outcome):
    """Nothing was posted; the owner must pay or wait for the billing cycle. Never tried in a loop."""


class Refused(Outcome):
    """Nothing was posted, and this message never will be."""


class Duplicate(Outcome):
    """The network says that it holds this message already; ``receipt`` if it named the one it has."""

    def __init__(self, words: str, *, status: int | None = None, receipt: Receipt | None = None) -> None:
        super().__init__(words, status=status)
        self.receipt = receipt


class Unsure(Outcome):
    """It may have been posted: the answer was lost, or the server failed after it had the whole request."""


class Retired(Outcome):
    """The network is gone. The words name the living alternative."""


class ReverberateError(Exception):
    """Something that a person has to mend. Its text is one line: what, where, and what to do.

    ``hint`` is the "what to do" where it is known; ``str()`` joins them.
    """

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} ({self.hint})" if self.hint else self.what


class Missing(ReverberateError):
    """There is nothing of that name or number."""


class ConfigError(ReverberateError):
    """The config cannot be used. ``problems`` holds every problem found, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class TemplateError(ReverberateError):
    """A template cannot be read or rendered; the text names the template and, where known, its line."""


class SourceError(ReverberateError):
    """A source cannot be read now; the text names the source and the address.

    ``wait`` is the source's own word on how long to stay away, if it gave one.
    """

    def __init__(self, what: str, *, hint: str = "", wait: timedelta | None = None) -> None:
        super().__init__(what, hint=hint)
        self.wait = wait


class StoreError(ReverberateError):
    """The database cannot be used; the text says which one and why."""
