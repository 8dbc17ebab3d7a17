"""What bounds a page of a list that is read backwards in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal, tuple_

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement


def within(
    at: Column[datetime],
    number: Column[int],
    *,
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, int] | None,
) -> list[ColumnElement[bool]]:
    """From ``since`` on and before ``until``, after the place ``before``: each end said once.

    Given two bounds on one side, PostgreSQL begins at whichever it likes, and goes through all that lies between.
    """
    conditions: list[ColumnElement[bool]] = [] if since is None else [at >= since]
    if before is not None and (until is None or before[0] < until):
        return [*conditions, tuple_(at, number) < tuple_(literal(before[0], at.type), literal(before[1]))]
    return conditions if until is None else [*conditions, at < until]
