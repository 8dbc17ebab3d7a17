"""The contract that every network keeps, inherited."""

from __future__ import annotations

from reverberate_example import Chalkboard

from reverberate.testing import Asked, HTTPNetworkContract, Reply


class TestChalkboard(HTTPNetworkContract):
    network = Chalkboard

    def accept(self, asked: Asked) -> Reply:
        return Reply(body=b'{"id": 1, "url": "https://chalkboard.example/1"}')
