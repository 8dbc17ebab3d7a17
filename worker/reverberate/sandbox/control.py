"""The sandbox's own side: timelines, permalinks, the ledger, the faults."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reverberate.sandbox import faultpage, pages
from reverberate.sandbox.blobs import kind_of
from reverberate.sandbox.exchange import Answer
from reverberate.sandbox.faults import Fault, Occasion, WrongFault
from reverberate.sandbox.personality import Purpose
from reverberate.sandbox.troubles import view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from reverberate.sandbox.blobs import Blobs
    from reverberate.sandbox.exchange import Request
    from reverberate.sandbox.ledger import Ledger
    from reverberate.sandbox.personality import Personality
    from reverberate.sandbox.rules import Faults


class Control:
    """What people, and the tests' judge, ask the sandbox."""

    def __init__(
        self,
        ledger: Ledger,
        faults: Faults,
        networks: Mapping[str, Personality],
        blobs: Blobs,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._faults, self._networks, self._blobs, self._now = ledger, faults, networks, blobs, now

    def answer(self, request: Request) -> Answer:
        """What is there; 404 where there is nothing."""
        if request.method in {"GET", "HEAD"}:
            return self._shown(request)
        if foreign(request):
            return Answer.of({"error": "only the sandbox's own pages and programs may change it"}, 403)
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["faults"]:
                return self._add(request)
            case "POST", ["faults", "clear"]:
                self._faults.clear()
                return Answer.elsewhere("/faults")
            case "DELETE", ["faults"]:
                return Answer.of({"cleared": self._faults.clear()})
            case "DELETE", ["faults", number] if number.isdecimal():
                return Answer.of({"cleared": self._faults.clear(int(number))})
            case _:
                return Answer.of({"error": "not found"}, 404)

    def _shown(self, request: Request) -> Answer:
        match request.path.strip("/").split("/"):
            case [""]:
                return Answer.html(self._timelines())
            case ["style.css"]:
                return Answer(body=pages.STYLE, kind="text/css; charset=utf-8")
            case ["ledger.json"]:
                return Answer.of([asdict(entry) for entry in self._ledger.accepted()])
            case ["faults"] if "text/html" in request.headers.get("accept", ""):
                return Answer.html(faultpage.faults(self._faults.report()))
            case ["faults"]:
                return Answer.of(self._faults.report())
            case ["blob", cid] if kind := kind_of(contents := self._blobs.get(cid)):
                return Answer(body=contents, kind=kind, headers={"X-Content-Type-Options": "nosniff"})
            case ["web", network, *_] if network in self._networks:
                return self._page(request, network)
            case _:
                return Answer.html(pages.nothing(), 404)

    def _timelines(self) -> str:
        counts = Counter(entry.network for entry in self._ledger.accepted())
        return pages.timelines(lambda network: self._ledger.newest(network, "", most=pages.MOST), counts=counts)

    def _page(self, request: Request, network: str) -> Answer:
        """A post's own page, at its permalink."""
        entry, now = self._networks[network].page(request.path), self._now()
        if entry is not None:
            drawn = self._faults.draw(Occasion(network, entry.account, Purpose.PAGE), now=now)
            entry = view(drawn, now=now).shows(entry)
        return Answer.html(pages.permalink(entry)) if entry else Answer.html(pages.nothing(), 404)

    def _add(self, request: Request) -> Answer:
        """One fault from a form; one or several from JSON."""
        from_page = request.json is None
        given = request.form if from_page else request.json
        try:
            faults = [Fault.of(_object(one)) for one in (given if isinstance(given, list) else [given])]
            numbers = [self._faults.add(fault) for fault in faults]
        except WrongFault as wrong:
            if from_page:
                return Answer.html(faultpage.faults(self._faults.report(), trouble=str(wrong)), 400)
            return Answer.of({"error": str(wrong)}, 400)
        return Answer.elsewhere("/faults") if from_page else Answer.of({"numbers": numbers}, 201)


def foreign(request: Request) -> bool:
    """Whether a page from elsewhere made the browser ask."""
    return request.headers.get("origin", request.base) != request.base


def _object(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise WrongFault("a fault is a JSON object", hint='for example {"kind": "drop"}')
    return given
