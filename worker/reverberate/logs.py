"""The log: text for people or one JSON object a line, on stderr, without any secret that this process ever knew.

Secrets are masked where a record is made, before any handler sees it: in the message, its arguments, the traceback.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from reverberate.masks import mask

NOISY = ("alembic", "celery", "kombu", "apprise")
"""Libraries whose informations are not ours; those that speak HTTP are quietened where it is spoken (http.py)."""
EMPTY: dict[str, Any] = {}
_about: ContextVar[dict[str, Any]] = ContextVar("about", default=EMPTY)


def about(**facts: Any) -> None:
    """Let what is logged from now on, in this ``contextvars`` context, name these: the share, its account."""
    _about.set(_about.get() | facts)


class Masked(logging.LogRecord):
    """A record that holds no secret: it is masked when it is made."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.msg, self.args = mask(self._said()), None
        self.about = _about.get()
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = mask("".join(traceback.format_exception(*self.exc_info))).rstrip("\n")
        if self.stack_info:
            self.stack_info = mask(self.stack_info)

    def _said(self) -> str:
        try:
            return super().getMessage()
        except (TypeError, ValueError):  # a library's own mistake costs its arguments, not the line
            return str(self.msg)


class Lines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging."""
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        line |= {"message": record.getMessage(), **getattr(record, "about", EMPTY), "thread": record.threadName}
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")


def reform(form: str) -> None:
    """Log in that form from now on, as loudly as before."""
    setup(level=logging.getLevelName(logging.getLogger().level), form=form)


def setup(*, level: str = "INFO", form: str = "text", stream: TextIO | None = None) -> None:
    """Log in that form from now on."""
    logging.setLogRecordFactory(Masked)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines() if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
