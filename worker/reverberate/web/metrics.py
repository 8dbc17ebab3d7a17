"""Prometheus metrics, read from the database when they are asked for: there is no second truth to keep.

All that is read is kept as a tally or stands in an index, so that a scrape costs the same at a million shares.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from reverberate import status
from reverberate.store import connections, outbox, watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client.core import Metric

    from reverberate.service import Service
    from reverberate.store.watch import Tally

LIVING = timedelta(seconds=30)
"""A process that gave a sign of life so recently is counted."""


def exposition(service: Service) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(service))
    return generate_latest(registry)


class _Collector:
    """Reads them all, once a scrape."""

    def __init__(self, service: Service) -> None:
        self._service, self._now = service, datetime.now(UTC)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: reading costs."""
        return []

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        facts = status.overview(self._service, now=self._now)
        yield from self._of_accounts(facts)
        with self._service.store.read() as tx:
            tallies = watch.tallied(tx)
            ends = {one.account: one.expires for one in connections.all_of(tx) if one.expires}
            living = watch.alive(tx, since=self._now - LIVING)
            numbers = {
                "due": watch.due(tx, now=self._now),
                "stopped": int(watch.stopped(tx)),
                "notices_waiting": outbox.waiting(tx),
            }
        yield from self._of_attempts(tallies)
        yield _gauge("shares_due", "Shares that wait to be claimed now, counted up to 10,000", numbers["due"])
        yield _gauge("stopped", "1 while everything is paused by hand", numbers["stopped"])
        yield _gauge("notices_waiting", "Notices that are not sent yet", numbers["notices_waiting"])
        expiry = _by("account", "token_expires_timestamp_seconds", "When what the vault holds for the account ends")
        for name, at in sorted(ends.items()):
            expiry.add_metric([name], at.timestamp())
        yield expiry
        processes = GaugeMetricFamily("reverberate_processes", "Processes that live, by role", labels=["role"])
        for role in ("dispatcher", "worker"):
            processes.add_metric([role], sum(one.role == role for one in living))
        yield processes
        lag = GaugeMetricFamily("reverberate_source_lag_seconds", "How overdue a source's look is", labels=["source"])
        for source in facts["sources"]:
            due = source["next_look"]
            lag.add_metric([source["name"]], max((self._now - _instant(due)).total_seconds(), 0.0) if due else 0.0)
        yield lag

    def _of_accounts(self, facts: Mapping[str, Any]) -> Iterator[Metric]:
        shares = GaugeMetricFamily("reverberate_shares", "Shares by account and state", labels=["account", "state"])
        paused = _by("account", "account_paused", "1 while the account waits for its owner")
        rests = _by("account", "account_resting", "1 while the network wants the account to wait")
        success = _by("account", "account_last_success_timestamp_seconds", "When it last took a message")
        for account in facts["accounts"]:
            name = account["name"]
            for state, number in account["shares"].items():
                shares.add_metric([name, state], number)
            paused.add_metric([name], account["paused"] is not None)
            rest, last = account["rest_until"], account["last_success"]
            rests.add_metric([name], rest is not None and _instant(rest) > self._now)
            if last:
                success.add_metric([name], _instant(last).timestamp())
        failures = _by("source", "source_failures", "Failed looks in a row")
        for source in facts["sources"]:
            failures.add_metric([source["name"]], source["failures"])
        late = _gauge("lateness_seconds", "How late the share is that has waited longest", facts["lateness"])
        yield from (shares, paused, rests, success, late, failures)

    def _of_attempts(self, tallies: Sequence[Tally]) -> Iterator[Metric]:
        labels = ["account", "network"]
        attempts = CounterMetricFamily(
            "reverberate_attempts", "Attempts by what they came to", labels=[*labels, "outcome"]
        )
        for one in tallies:
            if one.what == "attempt":
                attempts.add_metric([*self._labels(one.account), one.key], one.number)
        yield attempts
        late = HistogramMetricFamily(
            "reverberate_delivery_lateness_seconds", "How long after its time a share was sent", labels=labels
        )
        for account, (numbers, seconds) in sorted(watch.histogram(tallies).items()):
            late.add_metric(self._labels(account), buckets=_cumulative(numbers), sum_value=seconds)
        yield late

    def _labels(self, account: str) -> list[str]:
        found = self._service.config.accounts.get(account)
        return [account, found.network if found else ""]


def _cumulative(numbers: dict[str, int]) -> list[tuple[str, float]]:
    """Prometheus' buckets: each holds all that are smaller, too."""
    total, found = 0, []
    for bound in (*map(str, watch.LATE), "+Inf"):
        total += numbers.get(bound, 0)
        found.append((bound, float(total)))
    return found


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"reverberate_{name}", words, value=value)


def _by(label: str, name: str, words: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"reverberate_{name}", words, labels=[label])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
