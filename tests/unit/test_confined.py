"""A job that misbehaves is ended, and the next one finds a sound child."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import confined, jail
from reverberate.confined import JobError, Overrun, Pool

if TYPE_CHECKING:
    from reverberate.model import JSON

Run = Callable[..., Any]


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    pool = Pool(package="confined_jobs")
    yield pool
    pool.close()


@pytest.fixture
def run(pool: Pool) -> Run:
    def run(name: str, argument: Any = None, *, seconds: float = 5, megabytes: int = 64) -> Any:
        return pool.run(f"confined_jobs:{name}", argument, seconds=seconds, megabytes=megabytes)

    return run


@pytest.mark.parametrize(
    "value", [None, 0, 1.5, "", "é\U0001f600\x00\ud800", [], {"a": [1, {"b": None}]}, "x" * 3_000_000]
)
def test_plain_values_go_there_and_back(run: Run, value: Any) -> None:
    assert run("echo", value) == value


def test_one_child_serves_many_jobs(run: Run) -> None:
    assert run("process") == run("process") != os.getpid()


def test_a_job_of_the_package_runs_in_the_shared_pool() -> None:
    assert confined.run("reverberate.masks:quote", "a b") == "a%20b"


@pytest.mark.parametrize("name", ["os:getpid", "reverberate", "reverberate.x:y.z", "reverberatex:y", "a.reverberate:y"])
def test_nothing_outside_the_package_may_be_named(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a job"):
        confined.run(name, None)


def test_a_job_that_never_ends_is_killed_at_its_deadline(run: Run) -> None:
    run("echo")
    begun = time.monotonic()
    with pytest.raises(Overrun, match=r"longer than 0\.1 s"):
        run("spin", seconds=0.1)
    assert time.monotonic() - begun < 2
    assert run("echo", 1) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process uses already")
@pytest.mark.parametrize("name", ["eat", "long_result"])
def test_a_job_that_needs_too_much_memory_is_ended(run: Run, name: str) -> None:
    before = run("process")
    with pytest.raises(Overrun, match="more than 64 MB"):
        run(name, 80)
    assert run("process") != before


def test_memory_within_the_limit_is_there_again_and_again(run: Run) -> None:
    assert [run("eat", 40) for _ in range(5)] == [40 << 20] * 5


def test_a_result_longer_than_the_limit_is_not_taken(run: Run) -> None:
    with pytest.raises(Overrun, match="more than 1 MB"):
        run("echo", "x" * (1 << 20), megabytes=1)


@pytest.mark.parametrize(("name", "argument", "words"), [("abort", None, "SIGABRT"), ("leave", 3, "status 3")])
def test_a_job_that_ends_its_process_does_not_end_the_next(run: Run, name: str, argument: Any, words: str) -> None:
    with pytest.raises(Overrun, match=words):
        run(name, argument)
    assert run("echo", "sound") == "sound"


def test_a_jobs_own_error_is_told_and_costs_no_child(run: Run) -> None:
    before = run("process")
    with pytest.raises(JobError) as told:
        run("fail", "no such word")
    assert (told.value.kind, told.value.words, str(told.value)) == (
        "KeyError",
        "'no such word'",
        "KeyError: 'no such word'",
    )
    assert run("process") == before


def test_an_error_without_words_is_told_by_its_kind() -> None:
    assert str(JobError("Sorry", "")) == "Sorry"


@pytest.mark.parametrize(("name", "kind"), [("no_json", "TypeError"), ("missing", "AttributeError")])
def test_a_job_that_is_none_is_told(run: Run, name: str, kind: str) -> None:
    with pytest.raises(JobError) as told:
        run(name)
    assert told.value.kind == kind


def test_a_module_that_is_not_there_is_told(pool: Pool) -> None:
    with pytest.raises(JobError, match="ModuleNotFoundError"):
        pool.run("confined_jobs.nowhere:echo", None, seconds=1, megabytes=64)


def test_what_a_job_prints_or_reads_does_not_disturb(run: Run) -> None:
    assert run("chatter", "hello" * 1000) == ""
    assert run("echo", 1) == 1


def test_secrets_in_the_environment_do_not_reach_a_job(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TOKEN", "the secret")
    assert "the secret" not in run("environment").values()


def test_a_job_cannot_write_a_file(run: Run, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="OSError"):
        run("write", str(tmp_path / "file"))


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_a_child_inherits_no_open_file(run: Run, tmp_path: Path) -> None:
    files = [(tmp_path / str(number)).open("w") for number in range(20)]
    assert run("open_files") <= 5
    for file in files:
        file.close()


def test_a_child_may_open_few_files_and_dump_no_core(run: Run) -> None:
    assert run("limits") == [jail.OPEN_FILES, 0]


def test_a_child_has_its_own_session(run: Run) -> None:
    assert run("session") == run("process")


def test_many_threads_share_two_children(run: Run) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda n: run("echo", n), range(200))) == list(range(200))
        assert len(set(threads.map(lambda _: run("process"), range(50)))) <= 2


def test_a_hanging_job_leaves_the_other_child_free(run: Run) -> None:
    def hang() -> None:
        with pytest.raises(Overrun):
            run("sleep", 60, seconds=0.5)

    hanging = threading.Thread(target=hang)
    run("echo")
    hanging.start()
    begun = time.monotonic()
    assert [run("echo", n) for n in range(10)] == list(range(10))
    assert time.monotonic() - begun < 2
    hanging.join()


def test_a_child_is_replaced_after_its_share_of_jobs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "JOBS_PER_CHILD", 3)
    assert len({run("process") for _ in range(7)}) == 3


def test_a_child_that_died_while_idle_is_not_blamed_on_the_next_job(run: Run) -> None:
    first = run("process")
    os.kill(first, 9)
    wait_until_gone(first)
    assert run("process") != first


def test_no_process_to_be_had_is_an_overrun(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Overrun, match="no process could be started"):
        run("echo")


def test_an_error_while_asking_costs_the_child_but_not_the_place(run: Run) -> None:
    for _ in range(3):
        with pytest.raises(TypeError):
            run("echo", object())
    assert run("echo", 1) == 1


def test_children_end_when_the_pool_is_closed(pool: Pool, run: Run) -> None:
    child = run("process")
    pool.close()
    wait_until_gone(child)


SCRIPT = """
import os, sys, threading, time
from reverberate.confined import Pool
pool = Pool(package="confined_jobs")
def run(name):
    return pool.run(f"confined_jobs:{name}", None, seconds=0.1, megabytes=64)
print(run("process"), flush=True)
if sys.argv[1] == "hung":
    threading.Thread(target=run, args=["spin"]).start()
    time.sleep(0.05)
os._exit(0)
"""


@pytest.mark.parametrize("state", ["idle", "hung"])
def test_children_end_with_a_parent_that_was_killed(state: str) -> None:
    """Even one in the middle of a job: it has its own alarm."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, state], capture_output=True, text=True, check=True, env=environment
    )
    wait_until_gone(int(done.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="forking a test process is only safe enough there")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_starts_children_of_its_own(pool: Pool, run: Run) -> None:
    mine = run("process")
    reading, writing = os.pipe()
    if not os.fork():
        pool.forget()
        os.write(writing, str(run("process")).encode())
        pool.close()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as pipe:
        theirs = int(pipe.read())
    os.wait()
    assert theirs != mine == run("process")


def test_a_warm_round_trip_is_quick(run: Run) -> None:
    run("echo")
    begun = time.perf_counter()
    for _ in range(50):
        run("echo")
    assert (time.perf_counter() - begun) / 50 < 0.02  # 0.2 ms here; the margin is for a busy machine


class TestJail:
    """The child's side, seen from within."""

    def test_it_ends_when_the_parent_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours, theirs = socket.socketpair()
        monkeypatch.setattr(jail, "_only_the_parent", lambda: theirs)
        monkeypatch.setattr(jail, "_give_up_rights", lambda: None)
        serving = threading.Thread(target=jail.main, daemon=True)
        serving.start()
        ours.close()
        serving.join(timeout=5)
        assert not serving.is_alive()
        theirs.close()

    def test_it_answers_until_then(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours, theirs = socket.socketpair()
        monkeypatch.setattr(jail, "_only_the_parent", lambda: theirs)
        monkeypatch.setattr(resource, "setrlimit", lambda *_: None)  # or the whole test run would be in jail
        serving = threading.Thread(target=jail.main)
        serving.start()
        with theirs:
            assert self._asked(ours, {"module": "reverberate.http"}) == {"result": None}
            job: JSON = {"job": "reverberate.masks:quote", "arguments": " ", "megabytes": 64, "seconds": 60}
            assert self._asked(ours, job) == {"result": "%20"}
            assert self._asked(ours, {"module": "reverberate.nowhere"})["error"][0] == "ModuleNotFoundError"
            monkeypatch.setattr(jail, "_done", run_out_of_memory)
            assert self._asked(ours, job) == {"overrun": "memory"}
            serving.join()  # it does not go on in a doubtful state
        ours.close()

    @staticmethod
    def _asked(child: socket.socket, request: JSON) -> Any:
        child.sendall(jail.frame(request))
        return jail.receive(child, most=1000)

    def test_a_lower_limit_of_the_system_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limits: list[tuple[int, int]] = []
        monkeypatch.setattr(jail, "_bytes_in_use", lambda: 1 << 30)
        monkeypatch.setattr(resource, "getrlimit", lambda _: (5 << 20, 5 << 20))
        monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
        jail._limit_memory(64)
        assert limits == [(5 << 20, 5 << 20)]

    def test_there_is_no_limit_of_memory_where_the_system_does_not_say_what_is_in_use(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits: list[tuple[int, int]] = []
        monkeypatch.setattr("builtins.open", refuse)
        monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
        jail._limit_memory(64)
        monkeypatch.undo()
        assert limits == []

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process uses already")
    def test_it_knows_what_it_uses(self) -> None:
        assert (jail._bytes_in_use() or 0) > 1_000_000


def run_out_of_memory(_: object) -> None:
    raise MemoryError


def refuse(*_: object) -> None:
    raise FileNotFoundError


def wait_until_gone(process: int) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text(encoding="ascii").split()[2] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    pytest.fail(f"process {process} lives on")
