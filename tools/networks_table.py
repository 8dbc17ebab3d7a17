"""Write the README's table of networks anew, from what the networks themselves say; ``--check`` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from reverberate.catalogue import length, rows
from reverberate.networks import networks

README = Path(__file__).parents[1] / "README.md"
PLACE = re.compile(r"(<!-- networks: `make readme` writes this -->\n).*?(<!-- end of networks -->)", re.DOTALL)
ABILITIES = ("edit", "delete", "thread", "pictures", "count")


def table() -> str:
    """The built-in networks that deliver anywhere, in Markdown."""
    lines = [
        "| network | exactly once by | limit | " + " | ".join(ABILITIES) + " |",
        "|---|---|---|" + "---|" * len(ABILITIES),
    ]
    for row in rows(networks):
        ours = networks.get(row["name"]).__module__.startswith("reverberate.")
        if not ours or row["name"] == "memory":
            continue
        able = ["yes" if word in row["abilities"] else "" for word in ABILITIES]
        limit = "" if row["retired"] else length(row)
        name = f"[{row['title']}](docs/networks/{row['name']}.md)"
        lines.append(f"| {name} | {row['promise']} | {limit} | {' | '.join(able)} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def renewed(text: str) -> str:
    """The README with the table as it should be."""
    if not PLACE.search(text):
        sys.exit("README.md has lost the place of the networks table")
    return PLACE.sub(lambda found: found[1] + table() + found[2], text)


def main() -> None:
    """Write it, or say that it is out of date."""
    before = README.read_text(encoding="utf-8")
    after = renewed(before)
    if "--check" in sys.argv[1:]:
        sys.exit("README.md: the networks table is out of date; run: make readme" if before != after else 0)
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
