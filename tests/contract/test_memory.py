from __future__ import annotations

from reverberate.networks.memory import Memory
from reverberate.testing import NetworkContract


class TestMemory(NetworkContract):
    network = Memory
