"""What every case of tests/golden/cases looks like on each network; run as a program, it renews the expected files."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from reverberate.errors import ReverberateError
from reverberate.model import Post
from reverberate.overrides import override
from reverberate.rendering import Renderer, Voice
from reverberate.text.count import count
from reverberate.text.limits import LIMITS

CASES = Path(__file__).parent / "cases"
CARDS = frozenset({"bluesky", "facebook", "linkedin"})
THREADS = frozenset({"twitter", "mastodon", "bluesky"})
NETWORKS = ("twitter", "mastodon", "bluesky", "facebook", "threads", "telegram", "linkedin")
TEMPLATE = "case.txt"


def cases() -> list[str]:
    """Their names."""
    return sorted(path.parent.name for path in CASES.glob("*/post.toml"))


def draw(case: str, network: str) -> str:
    """What the case's post becomes on a network, as its expected file says it."""
    table = tomllib.loads((CASES / case / "post.toml").read_text(encoding="utf-8"))
    template, said = table.pop("template", None), table.pop("reverberate", None)
    post = Post(**_values(table), extra={"reverberate": said} if said else {})
    with tempfile.TemporaryDirectory() as folder:
        if template is not None:
            (Path(folder) / TEMPLATE).write_text(template, encoding="utf-8")
        renderer = Renderer([Path(folder)], zone=ZoneInfo("Europe/Berlin"), site="The blog")
        try:
            draft = renderer.draft(post, _voice(post, network, TEMPLATE if template is not None else None))
        except ReverberateError as error:
            return f"! {error}\n"
    message, limit = draft.message, LIMITS[network]
    lines = [f"! {draft.problem}"] if draft.problem else []
    lines += [f"~ {note}" for note in message.notes]
    for part in message.parts:
        lines += [f"== {count(part, limit)}/{limit.maximum} {limit.unit}", part]
    return "\n".join(lines) + "\n"


def _voice(post: Post, network: str, template: str | None) -> Voice:
    return Voice(
        account=network,
        network=network,
        limit=LIMITS[network],
        template=template,
        threads=network in THREADS,
        card=network in CARDS,
        numbering="1/3",
        override=override(post.extra, network),
    )


def _values(table: dict[str, object]) -> dict[str, object]:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    if "published" in values:
        values["published"] = datetime.fromisoformat(str(values["published"]))
    return values


def main() -> None:
    """Renew every expected file; `git diff` then shows what has changed."""
    for case in cases():
        for network in NETWORKS:
            (CASES / case / f"{network}.txt").write_text(draw(case, network), encoding="utf-8")
    sys.stdout.write(f"{len(cases())} cases on {len(NETWORKS)} networks\n")


if __name__ == "__main__":
    main()
