"""Networks whose messages may be threads, and steps that survive a crash."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from reverberate.errors import Duplicate, Refused, Transient, Unsure
from reverberate.model import Receipt
from reverberate.networks.base import Network
from reverberate.networks.likeness import earliest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from reverberate.model import JSON, Card, Delivery, Picture

    File: TypeAlias = tuple[str, bytes, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One post of a thread, or the only one.

    Attributes:
        number: from 0.
        text: what it says.
        key: its own idempotency key.
        link: the post's address.
        first, parent: the receipts of the thread's first part and of the one that this one answers; None for the first.
        card: the link card, on the part that carries it.
        pictures: what is attached to it.
        language: BCP 47 tag, or empty.
        warning: the content warning, or empty.
        since: nothing of ours can be there from before.
    """

    number: int
    text: str
    key: str
    link: str
    first: Receipt | None
    parent: Receipt | None
    card: Card | None
    pictures: tuple[Picture, ...]
    language: str
    warning: str
    since: datetime


class Threading(Network):
    """A network whose messages may be threads: each part is posted, and looked up, by itself.

    What is there already is kept as a step of the delivery, so that after any crash only the rest is posted.
    """

    threads = True

    @abstractmethod
    def post(self, delivery: Delivery, part: Part) -> Receipt:
        """Post one part. Raises an Outcome where that brings no receipt."""

    @abstractmethod
    def seen(self, delivery: Delivery, part: Part) -> Receipt | None:
        """The receipt of this very part if the network holds it, None if it does not show it. May raise an Outcome."""

    def send(self, delivery: Delivery) -> Receipt:
        """See Network."""
        receipt = self._through(delivery, self.post)
        if receipt is None:
            raise Refused("a message without a part")
        return receipt

    def find(self, delivery: Delivery) -> Receipt | None:
        """See Finds. Parts that are there are noted, so that a later attempt posts only the others."""
        return self._through(delivery, self.seen)

    def _through(self, delivery: Delivery, visit: Callable[[Delivery, Part], Receipt | None]) -> Receipt | None:
        """Part by part, the known ones skipped; the first one's receipt, or None as soon as one is missing."""
        there: list[Receipt] = []
        for number in range(len(delivery.message.parts)):
            receipt = known_part(delivery, number)
            if receipt is None:
                receipt = _there(visit, delivery, _part(delivery, number, there))
                if receipt is None:
                    return None
                if len(delivery.message.parts) > 1:
                    delivery.record(part_name(number), asdict(receipt))
            there.append(receipt)
        return there[0] if there else None


def _there(visit: Callable[[Delivery, Part], Receipt | None], delivery: Delivery, part: Part) -> Receipt | None:
    """The receipt of one part. A network that has it already, and says where, has said so of this part only."""
    try:
        return visit(delivery, part)
    except Duplicate as outcome:
        if outcome.receipt is None:
            raise
        return outcome.receipt


def part_name(number: int) -> str:
    """The name of the step that posts a part."""
    return f"part {number + 1}"


def known_part(delivery: Delivery, number: int) -> Receipt | None:
    """The receipt of a part that is there already."""
    step = delivery.steps.get(part_name(number))
    return None if step is None else Receipt(**{key: str(value) for key, value in step.answer.items()})


def _part(delivery: Delivery, number: int, there: Sequence[Receipt]) -> Part:
    message = delivery.message
    carries = number == message.carrier
    return Part(
        number=number,
        text=message.parts[number],
        key=delivery.key if number == 0 else f"{delivery.key}-{number + 1}",
        link=message.link,
        first=there[0] if there else None,
        parent=there[-1] if there else None,
        card=message.card if carries else None,
        pictures=message.pictures if carries else (),
        language=message.language,
        warning=message.warning,
        since=earliest(delivery),
    )


def whole(delivery: Delivery, receipt: Receipt) -> list[Receipt]:
    """The receipts of all parts of what is there, in order; ``receipt`` is the first one's."""
    known = (known_part(delivery, number) for number in range(1, len(delivery.steps) + 1))
    return [receipt, *(one for one in known if one)]


def each_edited(delivery: Delivery, receipt: Receipt, change: Callable[[Part, Receipt], Receipt]) -> Receipt:
    """Edit part by part; the first one's receipt. Refused where the new words make more or fewer parts."""
    there, parts = whole(delivery, receipt), len(delivery.message.parts)
    if len(there) != parts:
        raise Refused(f"the new words make {parts} parts, and {len(there)} are there")
    changed: list[Receipt] = []
    for number, one in enumerate(there):
        changed.append(change(_part(delivery, number, changed), one))
    return changed[0]


def each_deleted(delivery: Delivery, receipt: Receipt, take_back: Callable[[Receipt], None]) -> None:
    """Delete part by part, the last one first, so that nothing answers what is not there."""
    for one in reversed(whole(delivery, receipt)):
        take_back(one)


def once(
    delivery: Delivery, name: str, do: Callable[[], Mapping[str, JSON]], *, now: datetime, holds: timedelta
) -> Mapping[str, JSON]:
    """A step that need not be done again while its result holds (an upload); its answer."""
    known = delivery.steps.get(name)
    if known is not None and now - known.at < holds:
        return known.answer
    answer = do()
    delivery.record(name, answer)
    return answer


@contextmanager
def unposted(network: Network) -> Iterator[None]:
    """Calls that publish nothing by themselves (an upload, a sign-in): where their answer is lost, they may be repeated."""
    wrote = network.session.wrote
    try:
        yield
    except Unsure as outcome:
        raise Transient(outcome.words, status=outcome.status) from None
    finally:
        network.session.wrote = wrote


def file_of(delivery: Delivery, picture: Picture, *, name: str = "picture") -> File:
    """A picture as a form's file: its name with the kind, its bytes, its kind."""
    return f"{name}.{picture.mime.partition('/')[2]}", delivery.load(picture.digest), picture.mime


def uploaded(
    network: Network,
    delivery: Delivery,
    picture: Picture,
    upload: Callable[[File], Any],
    *,
    holds: timedelta,
    name: str = "picture",
) -> Any:
    """What a network calls a picture that it has: uploaded once, as a step, and again only when it has dropped it.

    Args:
        network: where to.
        delivery: whose picture it is, and whose step the upload becomes.
        picture: what is uploaded.
        upload: sends the file and answers what the network calls it. Publishes nothing, so it may be repeated.
        holds: how long the network keeps a picture that no post shows.
        name: what the file is called.

    Raises:
        Transient: the network took it and named nothing.
        Outcome: as ``upload`` raises it; what is unsure here is only Transient.
    """

    def do() -> Mapping[str, JSON]:
        with unposted(network):
            named = upload(file_of(delivery, picture, name=name))
        if not named:
            raise Transient(f"{network.title} took the picture and did not name it")
        return {"id": named}

    return once(delivery, f"picture {picture.digest[:16]}", do, now=network.now(), holds=holds)["id"]
