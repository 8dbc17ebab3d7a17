"""Takes each safety line away in turn, in a copy of the tree, and expects the tests of every commit to notice.

A mutant that survives means that a line which keeps a promise could be lost unseen; the program ends with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "worker/reverberate"
TESTS = (
    "tests/unit/test_policy.py",
    "tests/contract/test_bluesky.py",
    "tests/contract/test_mastodon.py",
    "tests/integration/test_store.py",
    "tests/integration/test_engine.py",
    "tests/integration/test_delivery.py",
    "tests/integration/test_service.py",
    "tests/integration/test_timetable.py",
    "tests/integration/test_late.py",
)
CHORES = ("tests/integration/test_chores.py",)
HTTP = ("tests/unit/test_http.py", "tests/unit/test_http1.py", "tests/unit/test_transport.py")


@dataclass(frozen=True)
class Mutant:
    """A safety line, what stands there when it is gone, and the tests that are to notice."""

    name: str
    file: str
    line: str
    instead: str
    tests: tuple[str, ...] = TESTS


MUTANTS = (
    Mutant("no intent before the call", "store/claims.py", "    _INTEND.run(tx, intents)\n", ""),
    Mutant("any worker may settle", "store/endings.py", "row.fence == ending.fence and row.lease", "row.lease"),
    Mutant("a claim asks for nothing", "store/claims.py", 'bindparam("was"), _FREE)', 'bindparam("was"))'),
    Mutant("a claim takes any state", "store/claims.py", 'shares.c.state == bindparam("was"), _FREE)', "_FREE)"),
    Mutant("looked up at once after a crash", "store/endings.py", "due = now + settle(row.account)", "due = now"),
    Mutant("poison is tried for ever", "store/endings.py", "if row.crashes + 1 >= CRASHES:", "if row.crashes < 0:"),
    Mutant(
        "a retry is rendered anew",
        "store/claims.py",
        "    if again:\n        query = select(messages",
        "    if not again:\n        query = select(messages",
    ),
    Mutant("the fence never grows", "store/claims.py", '"fence": shares.c.fence + 1', '"fence": shares.c.fence'),
    Mutant("a lost claim goes on with its steps", "store/claims.py", "shares.c.fence == fence, shares", "shares"),
    Mutant(
        "one share a post and account is not enforced",
        "store/migrations/versions/0001_the_first_schema.py",
        "    sa.UniqueConstraint('post_id', 'account', 'slot', name=op.f('uq_shares_post_id_account_slot'))\n",
        "",
    ),
    Mutant("one look is enough", "policy.py", "LOOKS = 2", "LOOKS = 1"),
    Mutant(
        "a lost answer is a failure",
        "policy.py",
        "            return _question(outcome, tries=tries, ability=ability, now=now, chance=chance)",
        "            return Verdict(state=ShareState.REFUSED, reason=outcome.words)",
    ),
    Mutant(
        "found nothing means sent", "policy.py", "        case None if looks < LOOKS:", "        case None if True:"
    ),
    Mutant(
        "nothing is ever too late", "policy.py", "share.tries == 0 and now - share.wanted > most", "share.tries < 0"
    ),
    Mutant(
        "every error is safe to repeat",
        "http.py",
        "if request.method in READS or not self._transport.passage.whole:",
        "if True:",
    ),
    Mutant(
        "half a request counts as sent",
        "transport.py",
        "        body = _body(request)\n",
        "        body, self.passage.whole = _body(request), True\n",
        HTTP,
    ),
    Mutant(
        "what nobody asked for is the next answer",
        "http1.py",
        "head.lasts and self._at == len(self._data)",
        "head.lasts",
        HTTP,
    ),
    Mutant(
        "an answer that breaks off is whole",
        "http1.py",
        '                raise IncompleteRead(b"".join(pieces), missing)\n',
        "                break\n",
        HTTP,
    ),
    Mutant(
        "a sleeper sends when it wakes",
        "delivery.py",
        "                network.session.guard = partial(self._still_ours, work.share.id)\n",
        "",
    ),
    Mutant(
        "a thread begins anew",
        "networks/parts.py",
        "    return None if step is None else Receipt(",
        "    return None if True else Receipt(",
    ),
    Mutant(
        "steps are not kept",
        "networks/parts.py",
        "                    delivery.record(part_name(number), asdict(receipt))\n",
        "                    pass\n",
    ),
    Mutant(
        "turns are not taken",
        "store/claims.py",
        "    turns.take(tx, [w.allowance for w in won if _heeds(w) and w.allowance], now=now)\n",
        "",
    ),
    Mutant(
        "the budget is not asked", "store/turns.py", "if wanted.budget is not None and", "if wanted.budget == -1 and"
    ),
    Mutant("a paused account goes on", "store/journal.py", "    shares.silence_account(tx, name)\n", ""),
    Mutant("a slot is given twice", "schedule.py", "if opening.wall not in taken.walls:", "if opening:"),
    Mutant(
        "a slot is given away anew once it was used",
        "store/bookings.py",
        "ShareState.UNSURE, ShareState.SENT)",
        "ShareState.UNSURE)",
    ),
    Mutant(
        "quiet hours are not looked at when the share is claimed",
        "delivery.py",
        "if self._waits_for_morning(work.share):",
        "if False:",
    ),
    Mutant(
        "a chore takes what another worker has in hand",
        "store/chores.py",
        "shares.c.state == ShareState.SENT, shares.c.lease.is_(None))",
        "shares.c.state == ShareState.SENT)",
        CHORES,
    ),
    Mutant("a chore heeds no fence", "store/chores.py", "where(free, shares.c.fence == fence)", "where(free)", CHORES),
    Mutant(
        "any worker may settle a chore",
        "store/chores.py",
        "shares.c.fence == one.fence, shares.c.lease.is_not(None))",
        "shares.c.lease.is_not(None))",
        CHORES,
    ),
    Mutant(
        "a chore whose worker died is forgotten",
        "store/chores.py",
        'due = {"due": now + AGAIN, "wake": now + AGAIN,',
        'due = {"due": now + AGAIN, "wake": None,',
        CHORES,
    ),
    Mutant(
        "what was asked for meanwhile is forgotten",
        "store/chores.py",
        "        if tx.execute(update(chores).where(anew).values(due=now, wake=now)).rowcount:\n            return\n",
        "",
        CHORES,
    ),
    Mutant("a post that is known is planned again", "looking.py", "if one.new]", "if one.new or True]"),
)


def mutated(mutant: Mutant, folder: Path) -> None:
    """A copy of what the tests need, without the safety line."""
    for part in ("worker", "tests", "templates"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    path = folder / PACKAGE / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.line) != 1:
        raise SystemExit(f"{mutant.name}: the line stands {text.count(mutant.line)} times in {mutant.file}")
    path.write_text(text.replace(mutant.line, mutant.instead), encoding="utf-8")


def noticed(mutant: Mutant) -> tuple[Mutant, str]:
    """The first test that fails without the line; "" if all pass."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mutated(mutant, folder)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "not postgresql",
            *mutant.tests,
        ]
        environment = os.environ | {"PYTHONPATH": str(folder / "worker")}
        done = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return mutant, failures[0] if done.returncode and failures else ""


def main() -> int:
    """Try them all."""
    began, survivors = time.monotonic(), 0
    _, broken = noticed(Mutant("nothing", "policy.py", "LOOKS = 2", "LOOKS = 2"))
    if broken:
        sys.stdout.write(f"the tests fail as they are: {broken}\n")
        return 1
    with ThreadPoolExecutor(3) as pool:
        for mutant, failure in pool.map(noticed, MUTANTS):
            survivors += not failure
            test = failure.partition("::")[2].partition(" - ")[0]
            sys.stdout.write(f"{'noticed' if failure else 'SURVIVED':9} {mutant.name}: {test}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(MUTANTS)} mutants, {survivors} survived, {time.monotonic() - began:.0f} s\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
