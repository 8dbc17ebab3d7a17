"""What a forked process does: the real worker, dispatcher or publisher, with one network more and a log of its own."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path  # noqa: TC003 - a dataclass travels to another process with it

import kombu.transport.redis  # noqa: F401 - by name only, at the first connection: imported ahead
import sqlalchemy.dialects.sqlite  # noqa: F401 - likewise

from chaos.blind import Blind
from reverberate import delivery, runtime, tasks  # noqa: F401 - the last is imported ahead
from reverberate.model import Post
from reverberate.networks import networks

for _name in ("bluesky", "facebook", "mastodon", "twitter"):
    networks.get(_name)
networks._loaded["blind"] = Blind
networks._points["blind"] = Blind  # so that the config knows the name
gc.freeze()


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where an installation lives, what it is told by its environment, and how long its workers' claims hold.

    Its processes may be ``humble``: they heed the files' permissions even as root.
    """

    folder: Path
    env: dict[str, str]
    lease: float = 4.0
    humble: bool = False

    @property
    def config(self) -> Path:
        return self.folder / "reverberate.toml"


def live(home: Home, role: str, number: int = 0) -> None:
    """Be a ``worker`` or a ``dispatcher`` until told to stop, or publish one post."""
    _begin(home, role)
    loaded = runtime.read_config(home.config)
    match role:
        case "worker":
            runtime.run_worker(loaded)
        case "dispatcher":
            runtime.run_dispatcher(loaded)
        case "publisher":
            with runtime.open_service(loaded) as service:
                service.publish(post(number))
            runtime.ring(loaded)


def post(number: int) -> Post:
    """The post of that number."""
    url = f"https://blog.example/post-{number:04}"
    return Post(url=url, title=f"Post {number:04}", guid=url, summary=f"What there is to say about {number}.")


def _begin(home: Home, role: str) -> None:
    out = os.open(home.folder / f"{role}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number in (1, 2):
        os.dup2(out, number)
    os.environ.update(home.env)
    if home.humble:
        _heed_permissions()
    style = f"%(asctime)s.%(msecs)03d {os.getpid()} %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=style, datefmt="%H:%M:%S")
    for noisy in ("alembic", "celery", "kombu", "tweepy", "urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    delivery.LEASE, delivery.HEARTBEAT = timedelta(seconds=home.lease), home.lease * 0.3
    delivery.MARGIN = min(1.0, home.lease / 4)


def _heed_permissions() -> None:
    """Give up root's right to read and write any file (capabilities 1 and 2); anybody else has no such right."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the interface's version; this process
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 of each
    if libc.capget(header, sets) == 0:
        sets[0] &= ~0b110
        sets[1] &= ~0b110
        if libc.capset(header, sets) == 0:
            return
    raise OSError(ctypes.get_errno(), "the right to write any file cannot be given up")
