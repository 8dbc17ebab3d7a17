"""Celery carries numbers, as JSON, and nothing else; what else comes through its queue does nothing."""

from __future__ import annotations

import pickle
import threading
import time
from typing import TYPE_CHECKING

import pytest
from kombu import Connection

from reverberate import tasks
from reverberate.doorbell import RedisBell
from support.world import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.servers import RedisServer

pytestmark = pytest.mark.redis


class Recorder:
    """Stands where the courier stands, and notes what it is given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def deliver(self, ids: Sequence[int]) -> None:
        self.given.extend(ids)


@pytest.fixture
def recorder(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A consuming worker in a thread."""
    one = Recorder()
    monkeypatch.setattr(tasks, "COURIER", one)
    app = tasks.make_app(redis_server.url)
    monkeypatch.setattr("celery.apps.worker.check_privileges", lambda _: None)  # tests may run as root
    worker = app.Worker(pool="threads", concurrency=2, quiet=True, without_gossip=True, without_mingle=True)
    monkeypatch.setattr(type(worker), "install_platform_tweaks", lambda *_: None)  # signals belong to the main thread
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    yield one
    worker.stop()
    thread.join(10)


def test_a_batch_of_numbers_reaches_the_courier(redis_server: RedisServer, recorder: Recorder) -> None:
    tasks.Hand(redis_server.url)([1, 2, 3])

    until(lambda: recorder.given == [1, 2, 3])


def test_what_is_no_json_is_refused_and_the_worker_goes_on(redis_server: RedisServer, recorder: Recorder) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (recorder.given.append, ("boom",))

    body = pickle.dumps(((), {}, {}), protocol=2)
    headers = {"task": tasks.TASK, "id": "x", "lang": "py"}
    with Connection(redis_server.url) as connection, connection.SimpleQueue(tasks.QUEUE) as queue:
        for kind, content in (("application/x-python-serialize", body), ("application/x-yaml", b"a: 1")):
            options = {"content_type": kind, "content_encoding": "binary"}
            queue.producer.publish(content, routing_key=tasks.QUEUE, headers=headers, **options)
    tasks.Hand(redis_server.url)([7])
    until(lambda: 7 in recorder.given)

    assert recorder.given == [7]


def test_handing_over_never_waits_for_a_broker() -> None:
    """Neither for one that is away, nor when more is handed over than may wait."""
    hand = tasks.Hand("redis://127.0.0.1:1/0")
    began = time.monotonic()
    for _ in range(3 * tasks.WAITING):
        hand([1])

    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("seconds", [0.03, 0.27])
def test_a_short_wait_for_the_doorbell_ends_in_time(redis_server: RedisServer, seconds: float) -> None:
    """Redis itself looks ten times a second for those who have waited long enough."""
    bell, late = RedisBell(redis_server.url), []
    for _ in range(8):
        began = time.monotonic()
        bell.wait(seconds)
        late.append(time.monotonic() - began - seconds)

    assert min(late) >= 0
    assert sorted(late)[2] < 0.03, late


def test_the_doorbell_is_heard_while_a_share_is_nearly_due(redis_server: RedisServer) -> None:
    bell = RedisBell(redis_server.url)
    threading.Timer(0.05, RedisBell(redis_server.url).ring).start()
    began = time.monotonic()
    bell.wait(0.49)

    assert time.monotonic() - began < 0.4


def test_the_settings_hold_no_future_and_no_result() -> None:
    conf = tasks.make_app("redis://127.0.0.1:1/0").conf

    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.task_ignore_result is True
    assert conf.result_backend is None
    assert conf.task_publish_retry is False
    assert not conf.beat_schedule
