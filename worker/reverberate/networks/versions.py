"""Until when the versions of vendors' APIs live, as data. To be looked through with each release.

Sources, read on 2026-11-23: developers.facebook.com/docs/graph-api/changelog (each version lives about two years);
learn.microsoft.com/linkedin/marketing/integrations/migrations (each version lives at least twelve months).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

GRAPH = {"v20.0": date(2026, 9, 24), "v24.0": date(2028, 2, 18), "v25.0": date(2028, 7, 29)}
LINKEDIN = {
    "202511": date(2026, 11, 16),
    "202601": date(2027, 1, 15),
    "202602": date(2027, 2, 15),
    "202603": date(2027, 3, 16),
}
SUNSETS: dict[str, dict[str, date]] = {"facebook": GRAPH, "linkedin": LINKEDIN}
"""By network: when each version that we know of ends, the oldest first. Older ones have ended too."""
MONTH = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])")
"""A version that is named after its month lives for a year at least (LinkedIn)."""
SOON = timedelta(days=30)


def ends(network: str, version: str) -> date | None:
    """When that version ends, or ended at the latest; None where that is not known."""
    known = SUNSETS.get(network, {})
    if version in known or not known or not version:
        return known.get(version)
    oldest = min(known, key=_number)
    if _number(version) < _number(oldest):
        return known[oldest]
    return date(int(version[:4]) + 1, int(version[4:]), 15) if MONTH.fullmatch(version) else None


def told(network: str, version: str, *, now: datetime) -> tuple[str, str]:
    """What to say of a version: a note, and what is wrong with it; "" where there is nothing."""
    end = ends(network, version)
    if end is None:
        return "", ""
    left = datetime(end.year, end.month, end.day, tzinfo=UTC) - now
    if left <= timedelta(0):
        return "", f"API version {version} ended on {end}: set a newer `version`"
    words = f"API version {version} ends on {end}"
    return ("", f"{words}: set a newer `version`") if left <= SOON else (words, "")


def _number(version: str) -> float:
    """The version as a number; one that is none is taken for the newest."""
    try:
        return float(version.lstrip("v"))
    except ValueError:
        return float("inf")
