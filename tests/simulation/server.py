"""One account's place on a network: it keeps what it accepted, and is the judge of what was posted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverberate.errors import Duplicate, Outcome, Refused, Unauthorised
from reverberate.model import Assurance, Receipt

if TYPE_CHECKING:
    from reverberate.networks.base import Network
    from reverberate.networks.parts import Part
    from simulation.world import World

WINDOW = 3600.0
"""Seconds for which a network with a window holds a key; the plug-in does not rely on it."""
LATE = 5.0
"""A request that left is accepted after so many seconds at the most, whether or not anybody waits for the answer."""
SETTLE = 15.0


@dataclass(slots=True)
class Held:
    """A post that the network accepted."""

    remote_id: str
    share_id: int
    number: int
    text: str
    parent: str
    at: float
    shows: float
    gone: bool = False


@dataclass
class Server:
    """One account's place on a network."""

    world: World
    name: str
    kind: type[Network]
    lag: float
    reads: bool = True
    refuses: frozenset[int] = frozenset()
    outages: tuple[tuple[float, float], ...] = ()
    revoked: tuple[float, ...] = ()
    held: list[Held] = field(default_factory=list)
    keys: dict[str, Held] = field(default_factory=dict)
    texts: dict[tuple[int, int], list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    """What was asked for, by share and part: text, key, and the message's generation."""
    travelling: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Requests that left and were not judged yet, by share."""
    wrongs: list[str] = field(default_factory=list)

    def of(self, share_id: int, number: int | None = None) -> list[Held]:
        """What it holds of a share."""
        return [one for one in self.there() if one.share_id == share_id and number in {None, one.number}]

    def there(self) -> list[Held]:
        """What it holds, without what was taken back."""
        return [one for one in self.held if not one.gone]

    def down(self) -> bool:
        """Whether it does not answer now."""
        return any(start <= self.world.clock.time < end for start, end in self.outages)

    def locked(self) -> bool:
        """Whether the owner has to reconnect."""
        return any(at <= self.world.clock.time for at in self.revoked)

    def judge(self, share_id: int, part: Part) -> Receipt | Outcome:
        """The request has come in whole: take it or not."""
        self.travelling[share_id] -= 1
        if self.locked():
            return Unauthorised("401 the token was revoked", status=401)
        if share_id in self.refuses:
            return Refused("422 not this", status=422)
        if twin := self._twin(part):
            return twin
        return self._accept(share_id, part)

    def _twin(self, part: Part) -> Receipt | Outcome | None:
        now = self.world.clock.time
        if self.kind.assurance is Assurance.IDENTITY and (held := self.keys.get(part.key)):
            for_ever = self.kind.identity_window is None
            return Receipt(remote_id=held.remote_id) if for_ever or now - held.at < WINDOW else None
        if self.kind.assurance is Assurance.REFUSES:
            parent = part.parent.remote_id if part.parent else ""
            for one in self.there():
                if one.text == part.text and one.parent == parent:
                    named = Receipt(remote_id=one.remote_id) if self.world.rng.random() < 0.3 else None
                    return Duplicate("403 duplicate content", status=403, receipt=named)
        return None

    def _accept(self, share_id: int, part: Part) -> Receipt:
        now, parent = self.world.clock.time, part.parent.remote_id if part.parent else ""
        before = {one.remote_id for one in self.of(share_id, part.number - 1)} if part.number else {""}
        if parent not in before:
            self.wrongs.append(f"I8 order: part {part.number} of share {share_id} came without its parent")
        one = Held(
            remote_id=f"{self.name}/{len(self.held) + 1}",
            share_id=share_id,
            number=part.number,
            text=part.text,
            parent=parent,
            at=now,
            shows=now + self.world.rng.random() * self.lag,
        )
        self.held.append(one)
        self.keys[part.key] = one
        self.world.tell(f"   {self.name} accepts part {part.number} of share {share_id} as {one.remote_id}")
        return Receipt(remote_id=one.remote_id)

    def change(self, remote_id: str, text: str) -> Receipt | Outcome:
        """Give a post other words, or take it back ("" is none); not to be found is what is gone."""
        if self.locked():
            return Unauthorised("401 the token was revoked", status=401)
        for one in self.there():
            if one.remote_id == remote_id:
                one.text, one.gone = text or one.text, not text
                self.world.tell(f"   {self.name} {'rewords' if text else 'deletes'} {remote_id}")
                return Receipt(remote_id=remote_id)
        return Refused("404 there is no such post", status=404)

    def find(self, part: Part) -> Receipt | None:
        """What its listing shows of this part now."""
        now, parent = self.world.clock.time, part.parent.remote_id if part.parent else ""
        for one in self.there():
            if one.text == part.text and one.parent == parent and one.shows <= now:
                return Receipt(remote_id=one.remote_id) if self.world.moment(one.at) >= part.since else None
        return None
