"""Prometheus metrics, read from the database when they are asked for: there is no second truth to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from reverberate import status

if TYPE_CHECKING:
    from reverberate.service import Service


def exposition(service: Service) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    facts = status.overview(service)
    shares = Gauge("reverberate_shares", "Shares by account and state", ["account", "state"], registry=registry)
    for account in facts["accounts"]:
        for state, number in account["shares"].items():
            shares.labels(account["name"], state).set(number)
    paused = Gauge(
        "reverberate_account_paused", "1 while the account waits for its owner", ["account"], registry=registry
    )
    for account in facts["accounts"]:
        paused.labels(account["name"]).set(account["paused"] is not None)
    late = Gauge("reverberate_lateness_seconds", "How late the share is that has waited longest", registry=registry)
    late.set(facts["lateness"])
    failures = Gauge("reverberate_source_failures", "Failed looks in a row", ["source"], registry=registry)
    for source in facts["sources"]:
        failures.labels(source["name"]).set(source["failures"])
    return generate_latest(registry)
