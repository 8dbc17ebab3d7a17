"""From `publish` to the network's acceptance on an idle system: the real dispatcher, Redis and worker, beside one POST."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import requests
from bench_delivery import accepted, child, network, redis, until_accepted

from reverberate.doorbell import RedisBell
from reverberate.model import Post
from reverberate.runtime import open_service, read_config

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "60"))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, network(0) as url, redis(folder) as broker:
        config = Path(folder) / "reverberate.toml"
        table = f'[accounts.a]\nnetwork = "mastodon"\ninstance = "{url}"\naccess_token = {{ env = "BENCH_TOKEN" }}\n'
        config.write_text(table, encoding="utf-8")
        env = {"REDIS_URL": broker, "BENCH_TOKEN": "x"}
        os.environ |= env
        program = (sys.executable, "-m", "reverberate", "--config", str(config))
        with child(*program, "dispatcher", **env), child(*program, "worker", **env):
            waits = published(config, url, broker)
        posts = []
        for _ in range(ROUNDS):
            began = time.time()
            requests.post(url, json={"status": "hello"}, timeout=10)
            posts.append(accepted(url)[-1] - began)
    ours = sorted(wait * 1000 for wait in waits)
    sys.stdout.write(
        f"publish to acceptance: median {statistics.median(ours):.0f} ms, p90 {ours[int(len(ours) * 0.9)]:.0f} ms, "
        f"most {ours[-1]:.0f} ms; one bare POST: {statistics.median(posts) * 1000:.1f} ms\n"
    )


def published(config: Path, url: str, broker: str) -> list[float]:
    """Seconds from each call of ``publish`` to the network's acceptance."""
    waits, bell = [], RedisBell(broker)
    with open_service(read_config(config)) as service:
        for number in range(ROUNDS + 1):
            before = len(accepted(url))
            began = time.time()
            service.publish(Post(url=f"https://blog.example/{number}", title=f"Post {number}"))
            bell.ring()
            waits.append(until_accepted(url, before + 1)[-1] - began)
            time.sleep(0.15)
    return waits[1:]  # the first one waits for the programs to start


if __name__ == "__main__":
    main()
