"""What the sandbox's sign-ins gave to whom: codes, tokens, refresh tokens, apps; kept, so that a restart ends none."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from reverberate.sandbox import keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Kind: TypeAlias = Literal["code", "access", "refresh", "user", "app", "request", "verifier", "signed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One thing that was given.

    Attributes:
        token: itself.
        kind: what it is good for.
        network, account: where, and for whom.
        family: all that came of one consent; they end together.
        made, until: when it was given, and when it ends (None: never), in seconds since 1970.
        client: for which app; of a verifier: for which request token.
        redirect, challenge, scopes: of a code: where it was sent, its PKCE challenge, what was allowed.
        lasting: of a code: whether a refresh token comes with it.
        secret: the other half of a token of OAuth 1.0a, or of an app's keys.
    """

    token: str
    kind: Kind
    network: str
    account: str = ""
    family: str = ""
    made: float = 0
    until: float | None = None
    client: str = ""
    redirect: str = ""
    challenge: str = ""
    scopes: str = ""
    lasting: bool = False
    secret: str = ""


class Grants:
    """All that was given and has not ended. Safe for threads.

    Args:
        path: the file that keeps it, a line for each change.
        seed: what is given is drawn from it.
        now: the clock.
    """

    def __init__(self, path: Path, *, seed: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now, self.lock = now, threading.RLock()
        self._path, self._seed = path, seed
        self._given: dict[str, Given] = {}
        self._ended: set[str] = set()
        self._made = 0
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            self._recall(json.loads(line))

    def give(self, kind: Kind, network: str, *, lasts: timedelta | None = None, **more: Any) -> Given:
        """Something new; it begins a family of its own unless ``family`` says otherwise."""
        with self.lock:
            now = self.now().timestamp()
            drawn = keys.draw(self._seed, network, kind, str(self._made))
            told = {"token": drawn, "family": drawn, "secret": keys.draw(self._seed, drawn, "secret")} | more
            until = now + lasts.total_seconds() if lasts is not None else None
            made = Given(kind=kind, network=network, made=now, until=until, **told)
            self._keep(asdict(made))
            return made

    def find(self, token: str, kind: Kind, network: str) -> Given | None:
        """It, if it is that and has not ended; whether its time is over is another question."""
        with self.lock:
            found = self._given.get(token)
            good = found is not None and (found.kind, found.network) == (kind, network) and token not in self._ended
            return found if good else None

    def alive(self, token: str, kind: Kind, network: str) -> Given | None:
        """It, if it works now."""
        found = self.find(token, kind, network)
        return None if found is None or self.late(found) else found

    def late(self, given: Given) -> bool:
        """Whether its time is over."""
        return given.until is not None and self.now().timestamp() >= given.until

    def used(self, token: str) -> Given | None:
        """It, if it was given once and has ended since."""
        with self.lock:
            return self._given.get(token) if token in self._ended else None

    def owner(self, network: str, token: str) -> str:
        """The account whose access token this is; "" if it is nobody's, or over."""
        found = self.alive(token, "access", network)
        return found.account if found else ""

    def end(self, token: str) -> None:
        """It works no more."""
        with self.lock:
            self._keep({"ended": token})

    def end_family(self, family: str) -> None:
        """All that came of one consent works no more."""
        with self.lock:
            for one in [one.token for one in self._given.values() if one.family == family]:
                self.end(one)

    def _keep(self, row: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._recall(row)

    def _recall(self, row: dict[str, Any]) -> None:
        if "ended" in row:
            self._ended.add(str(row["ended"]))
            return
        self._made += 1
        self._given[str(row["token"])] = Given(**row)
