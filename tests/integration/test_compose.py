"""The compose file's services run: each one's command and health check, against real servers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.processes import running
from support.servers import free_port
from support.world import until

if TYPE_CHECKING:
    from support.servers import RedisServer

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = ("dispatcher", "worker", "web")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


def test_every_service_has_a_health_check_and_comes_back() -> None:
    for name, one in COMPOSE["services"].items():
        assert one["healthcheck"]["test"], name
        assert one["restart"] == "unless-stopped", name


def test_redis_keeps_its_file_and_never_evicts() -> None:
    command = " ".join(service("redis")["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_secrets_are_files_and_stand_in_no_environment() -> None:
    assert all("file" in secret for secret in COMPOSE["secrets"].values())
    for name, one in COMPOSE["services"].items():
        for variable, value in one.get("environment", {}).items():
            assert variable.endswith("_FILE") or "PASSWORD" not in variable, name
            assert "@" not in value, name


def test_the_image_has_the_program_that_the_services_run() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert 'ENTRYPOINT ["reverberate"]' in dockerfile
    assert "USER reverberate" in dockerfile


@pytest.mark.postgres
@pytest.mark.redis
def test_each_service_runs_and_is_healthy(tmp_path: Path, postgres_url: str, redis_server: RedisServer) -> None:
    config, secret = tmp_path / "reverberate.toml", tmp_path / "database_url"
    config.write_text('[accounts.a]\nnetwork = "memory"\n', encoding="utf-8")
    secret.write_text(postgres_url + "\n", encoding="utf-8")
    port = free_port()
    declared = service("worker")["environment"]
    assert set(declared) == {"DATABASE_URL_FILE", "REDIS_URL", "REVERBERATE_CONFIG"}
    env = {"DATABASE_URL_FILE": str(secret), "REDIS_URL": redis_server.url}
    logs = {name: tmp_path / f"{name}.log" for name in OURS}
    with ExitStack() as together:
        processes = {}
        for name in OURS:
            command = [part.replace("0.0.0.0:8640", f"127.0.0.1:{port}") for part in service(name)["command"]]
            processes[name] = together.enter_context(running(config, *command, env=env, log=logs[name]))
        for name, process in processes.items():
            until(lambda name=name: healthy(name, port, env, config), 30)
            assert process.poll() is None, logs[name].read_text()
    for name, process in processes.items():
        assert process.returncode == 0, logs[name].read_text()


def healthy(name: str, port: int, env: dict[str, str], config: Path) -> bool:
    """What the service's own health check says."""
    kind, program, *arguments = service(name)["healthcheck"]["test"]
    assert kind == "CMD"
    known = {"reverberate": [sys.executable, "-m", "reverberate"], "python": [sys.executable]}
    command = known[program] + [argument.replace(":8640", f":{port}") for argument in arguments]
    environment = {"PATH": os.environ["PATH"], "REVERBERATE_CONFIG": str(config)} | env
    done = subprocess.run(command, env=environment, capture_output=True, cwd=config.parent, check=False, timeout=30)
    return done.returncode == 0


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_reads_the_file(tmp_path: Path) -> None:
    done = subprocess.run(
        ["docker", "compose", "-f", ROOT / "docker-compose.yml", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    if "is not a docker command" in done.stderr or "unknown" in done.stderr:
        pytest.skip("docker has no compose here")

    assert set(json.loads(done.stdout)["services"]) == {*OURS, "redis", "postgres"}, done.stderr
