"""Record keys of atproto that a share can choose for itself. Source: atproto.com/specs/tid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
CLOCKS = 1024


def tid(planned: datetime, serial: int) -> str:
    """The record key of a share: the 13 letters of a TID (atproto.com/specs/tid).

    It holds the microsecond at which the share was planned and a clock number of ten bits. Shares that were planned
    in the same microsecond differ by their serial: in the clock number, and beyond 1,024 of them in the microseconds.
    """
    micros = (planned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + serial // CLOCKS % 1000
    number = micros << 10 | serial % CLOCKS
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))
