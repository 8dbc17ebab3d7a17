"""Writing down that something happened to a share."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from reverberate.store.tables import events, shares

_account = select(shares.c.account).where(shares.c.id == bindparam("of_share")).scalar_subquery()
TOLD = insert(events).values(account=_account)
"""An INSERT of events about shares, each with its share's account; ``of_share`` is the share's number once more."""
