"""Metrics and readiness: what machines ask of an installation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.service import Service
from reverberate.store import connections, watch
from reverberate.web import serve
from reverberate.web.metrics import exposition
from reverberate.web.ready import readiness
from support.plugins import SOURCES
from support.servers import free_port
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from reverberate.store import Store


@pytest.fixture
def service(store: Store) -> Service:
    config = make_config(["a"])
    return Service(config, store, make_accounts(config), sources=SOURCES)


def test_metrics_count_attempts_and_how_late_they_were(store: Store, service: Service) -> None:
    now = datetime.now(UTC)
    with store.write() as tx:
        watch.tally(
            tx, [watch.Came("a", "refused"), *(watch.Came("a", "receipt", timedelta(seconds=s)) for s in (0, 3))]
        )
        watch.beat(tx, "one", "dispatcher", now=now)
        watch.switch_on(tx, watch.STOPPED, now=now)
    text = exposition(service).decode()

    for line in (
        'reverberate_attempts_total{account="a",network="toy",outcome="receipt"} 2.0',
        'reverberate_attempts_total{account="a",network="toy",outcome="refused"} 1.0',
        'reverberate_delivery_lateness_seconds_bucket{account="a",le="1",network="toy"} 1.0',
        'reverberate_delivery_lateness_seconds_bucket{account="a",le="5",network="toy"} 2.0',
        'reverberate_delivery_lateness_seconds_bucket{account="a",le="+Inf",network="toy"} 2.0',
        'reverberate_delivery_lateness_seconds_sum{account="a",network="toy"} 3.0',
        'reverberate_processes{role="dispatcher"} 1.0',
        "reverberate_stopped 1.0",
    ):
        assert line in text, line


def test_it_is_ready_while_a_dispatcher_lives(store: Store, service: Service) -> None:
    ready, told = readiness(service)
    assert (ready, told["database"]) == (False, "answers")
    with store.write() as tx:
        watch.beat(tx, "one", "dispatcher", now=datetime.now(UTC))

    assert readiness(service)[0] is True
    assert readiness(service, now=datetime.now(UTC) + timedelta(minutes=1))[0] is False


def test_the_door_says_whether_it_is_ready(store: Store, service: Service) -> None:
    with serve(service, listen=f"127.0.0.1:{free_port()}") as url:
        assert requests.get(f"{url}/readyz", timeout=5).status_code == 503
        with store.write() as tx:
            watch.beat(tx, "one", "dispatcher", now=datetime.now(UTC))
        answer = requests.get(f"{url}/readyz", timeout=5)

    assert (answer.status_code, answer.json()["dispatcher"]) == (200, "1 alive")


def test_the_end_of_a_token_is_a_metric(store: Store, service: Service) -> None:
    now = datetime.now(UTC)
    fresh = connections.Connection(account="a", version="1", since=now, expires=datetime(2030, 1, 1, tzinfo=UTC))
    with store.write() as tx:
        connections.connect(tx, fresh, {}, now=now)

    assert 'reverberate_token_expires_timestamp_seconds{account="a"} 1.893456e+09' in exposition(service).decode()
