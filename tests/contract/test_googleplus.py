from __future__ import annotations

from reverberate.networks.googleplus import GooglePlus
from reverberate.testing import NetworkContract


class TestGooglePlus(NetworkContract):
    network = GooglePlus
    settings = {"an_old_key": "from 2014"}
