"""Networks of every class: real plug-ins (``Network``, ``Threading``) over a wire that loses and delays what chance says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reverberate.errors import (
    Outcome,
    OutOfCredit,
    RateLimited,
    Refused,
    Transient,
    Unauthorised,
    Unsure,
)
from reverberate.model import Assurance, Receipt
from reverberate.networks.answers import missing_is_fine
from reverberate.networks.base import Network, NetworkSettings
from reverberate.networks.parts import Part, Threading, each_deleted
from reverberate.text.limits import Limit, Unit
from simulation.server import LATE, SETTLE, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverberate.model import Delivery
    from simulation.world import World

LIMIT = Limit(unit=Unit.CHARACTERS, maximum=500)
TIMEOUT = 30.0

WRITE_FAULTS = (
    *("unreachable", "slow down", "no credit", "come later", "request lost", "answer lost"),
    *("accepted late", "silence", "server error", "server error, accepted", "plug-in fails"),
)
CHANGE_FAULTS = ("unreachable", "slow down", "come later", "request lost", "answer lost", "plug-in fails")
READ_FAULTS = ("unreachable", "slow down", "server error", "come later")


class Wire:
    """What a plug-in knows of its session."""

    guard: Callable[[], None]

    def __init__(self) -> None:
        self.guard, self.wrote = lambda: None, False

    def fresh(self) -> None:
        """See http.Session."""
        self.wrote = False


class Settings(NetworkSettings, arbitrary_types_allowed=True):
    """Leads a plug-in to its server."""

    server: Any


def _write(network: Network, delivery: Delivery, part: Part) -> Receipt:
    server: Server = network.settings.server
    world, wire = server.world, network.session
    wire.guard()
    asked = world.clock.time
    world.step("send: before connecting", delivery.serial, longest=LATE)
    if world.clock.time - asked > LATE:
        # Who is stopped in this gap for longer than the claim holds, and finds the connection standing, posts twice on
        # a network that knows no identity: no client can prevent it. In these worlds the connection is gone by then.
        raise Transient("did not answer in time")
    fault = world.fault(WRITE_FAULTS) or ("unreachable" if server.down() else "")
    world.tell(f"   share {delivery.serial} part {part.number}: {fault or 'sent'}")
    if fault == "unreachable":
        world.clock.sleep(world.rng.random() * 2)
        raise Transient("refused the connection")
    wire.wrote = True
    world.note_request(delivery, part)
    answers: list[Receipt | Outcome] = []
    takes = _travel(server, delivery, part, fault, answers)
    world.step("send: request written", delivery.serial, longest=LATE)
    world.clock.sleep(takes)
    world.step("send: answer read", delivery.serial)
    return _understand(fault, answers, world)


def _change(network: Network, delivery: Delivery, remote_id: str, text: str) -> None:
    """An edit, or with no text a deletion, over the same wire; a client that gave up waits before it asks again."""
    server: Server = network.settings.server
    world, wire = server.world, network.session
    wire.guard()
    asked = world.clock.time
    world.step("change: before connecting", delivery.serial, longest=LATE)
    if world.clock.time - asked > LATE:
        raise Transient("did not answer in time")  # see _write
    fault = world.fault(CHANGE_FAULTS) or ("unreachable" if server.down() else "")
    world.tell(f"   share {delivery.serial} {'edit' if text else 'delete'}: {fault or 'sent'}")
    if fault in {"unreachable", "slow down", "come later", "request lost"}:
        world.clock.sleep(0.1)
        raise RateLimited("429 too many requests") if fault == "slow down" else Transient(fault)
    wire.wrote = True
    answers: list[Receipt | Outcome] = []
    quick = 0.02 + 0.1 * world.rng.random()
    world.clock.at(world.clock.time + quick, lambda: answers.append(server.change(remote_id, text)))
    world.step("change: request written", delivery.serial, longest=LATE)
    world.clock.sleep(quick + 0.05)
    _understand(fault, answers, world)


def _travel(server: Server, delivery: Delivery, part: Part, fault: str, answers: list[Receipt | Outcome]) -> float:
    """Let the request arrive when it does; how long the answer takes."""
    world = server.world
    quick = 0.02 + 0.1 * world.rng.random()
    if fault in {"slow down", "no credit", "come later", "request lost", "server error"}:
        return TIMEOUT if fault == "request lost" else quick
    server.travelling[delivery.serial] += 1
    arrives = LATE * world.rng.random() if fault == "accepted late" else quick
    world.clock.at(world.clock.time + arrives, lambda: answers.append(server.judge(delivery.serial, part)))
    if fault == "silence":
        return TIMEOUT
    return quick if fault == "accepted late" else quick + 0.05


def _understand(fault: str, answers: list[Receipt | Outcome], world: World) -> Receipt:
    """What the plug-in makes of what came back."""
    match fault:
        case "slow down":
            until = world.moment(world.clock.time + 90 * world.rng.random()) if world.rng.random() < 0.7 else None
            raise RateLimited("429 too many requests", status=429, until=until)
        case "no credit":
            raise OutOfCredit("402 pay first", status=402)
        case "come later":
            raise Transient("503 come later", status=503, after=timedelta(seconds=40 * world.rng.random()))
        case "plug-in fails":
            raise RuntimeError("a plug-in may be wrong too")
        case "":
            answer = answers[0]
            if isinstance(answer, Receipt):
                return answer
            raise answer
        case _:
            raise Unsure(f"the answer was lost: {fault}")


def _read(network: Network, delivery: Delivery, part: Part) -> Receipt | None:
    server: Server = network.settings.server
    world = server.world
    network.session.guard()
    world.step("look: before connecting", delivery.serial)
    world.clock.sleep(0.02 + 0.1 * world.rng.random())
    fault = world.fault(READ_FAULTS) or ("unreachable" if server.down() else "")
    if fault == "slow down":
        raise RateLimited("429 too many requests", status=429)
    if fault:
        raise Transient(fault)
    if server.locked():
        raise Unauthorised("401 the token was revoked", status=401)
    if not server.reads:
        raise Refused("403 this token may not read", status=403)
    return server.find(part)


class _Changing(Network):
    """What is there can be reworded and taken back."""

    def edit(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        _change(self, delivery, receipt.remote_id, delivery.message.parts[0])
        return receipt

    def delete(self, delivery: Delivery, receipt: Receipt) -> None:
        def take_back(there: Receipt) -> None:
            with missing_is_fine():
                _change(self, delivery, there.remote_id, "")

        each_deleted(delivery, receipt, take_back)


class _Simulated(_Changing, Threading):
    limit, Settings, settle = LIMIT, Settings, timedelta(seconds=SETTLE)

    def make_session(self) -> Any:
        return Wire()

    def post(self, delivery: Delivery, part: Part) -> Receipt:
        return _write(self, delivery, part)

    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        return _read(self, delivery, part)


class Forever(_Simulated):
    """The identity that we choose holds for ever."""

    name, title, assurance = "forever", "Identity for ever", Assurance.IDENTITY


class Windowed(_Simulated):
    """It holds for an hour; then posts can be read back."""

    name, title, assurance = "windowed", "Identity for an hour", Assurance.IDENTITY
    identity_window = timedelta(minutes=50)


class Refusing(_Simulated):
    """The same text again is refused."""

    name, title, assurance = "refusing", "Refuses duplicates", Assurance.REFUSES


class Readable(_Simulated):
    """Posts can be read back."""

    name, title, assurance = "readable", "Readable", Assurance.READABLE


class Blind(_Changing):
    """It tells nothing."""

    name, title, assurance, limit, Settings = "blind", "Blind", Assurance.BLIND, LIMIT, Settings

    def make_session(self) -> Any:
        return Wire()

    def send(self, delivery: Delivery) -> Receipt:
        part = Part(
            number=0,
            text=delivery.message.text,
            key=delivery.key,
            link=delivery.message.link,
            first=None,
            parent=None,
            card=None,
            pictures=(),
            language="",
            warning="",
            since=delivery.since or delivery.planned,
        )
        return _write(self, delivery, part)


KINDS: tuple[type[Network], ...] = (Forever, Windowed, Refusing, Readable, Blind)
