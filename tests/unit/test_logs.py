"""The log holds no secret, wherever it stood; as JSON, it is one object a line that names the share."""

from __future__ import annotations

import base64
import io
import json
import logging
import random
import string
import timeit
from contextvars import copy_context
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reverberate import logs, masks, tracing
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "cana/ry+\"7f3a'9c\\x"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged; afterwards the log is as it was."""
    root, factory = logging.getLogger(), logging.getLogRecordFactory()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.NOISY}
    written = io.StringIO()
    logs.setup(form="json", stream=written)
    yield written
    logging.setLogRecordFactory(factory)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(CANARY, encoding="utf-8")
    return Secret("file", str(path)).reveal()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_that_names_the_share(stream: io.StringIO) -> None:
    def one_share() -> None:
        logs.about(share=7, account="fedi")
        logging.getLogger("x").info("two\nlines and %s", "ünïcode")

    copy_context().run(one_share)
    logging.getLogger("x").info("after")

    first, second = lines(stream)
    assert (first["share"], first["account"], first["level"]) == (7, "fedi", "info")
    assert first["message"] == "two\nlines and ünïcode"
    assert str(first["at"]).endswith("Z")
    assert "share" not in second


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        quote(CANARY, safe=""),
        base64.b64encode(CANARY.encode()).decode(),
        json.dumps({"token": CANARY}),
        repr({"token": CANARY}),
    ],
)
def test_no_spelling_of_a_secret_is_logged(stream: io.StringIO, secret: str, spelling: str) -> None:
    def fail() -> None:
        raise ValueError(f"with {spelling}")

    log = logging.getLogger("x")
    log.info(spelling)
    log.warning("an argument: %s", spelling)
    log.error("a thing: %r", {"deep": [spelling]})
    try:
        fail()
    except ValueError:
        log.exception("it failed")

    text = stream.getvalue()
    assert len(lines(stream)) == 4
    assert "***" in text
    for part in (CANARY, json.dumps(CANARY)[1:-1], "7f3a", base64.b64encode(CANARY.encode()).decode()[:12]):
        assert part not in text


def test_a_library_that_logs_nonsense_costs_its_arguments_only(stream: io.StringIO) -> None:
    logging.getLogger("x").info("%d shares", "many")

    assert lines(stream)[0]["message"] == "%d shares"


def test_what_is_too_short_for_a_secret_masks_nothing() -> None:
    masks.hide("a")

    assert masks.mask("a banana") == "a banana"


def test_secrets_that_are_renewed_do_not_pile_up() -> None:
    kept = masks.Masks(most=10)
    for number in range(100):
        kept.hide(f"token-{number:03}")

    assert kept.over("token-099 token-000") == "*** token-000"
    assert len({secret for several in kept._heads.values() for secret in several}) == 10


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    kept = masks.Masks()
    for secret in ("f00dcafe", "prefix-f00dcafe-suffix-77aa"):
        kept.hide(secret)

    assert kept.over("it was prefix-f00dcafe-suffix-77aa, or f00dcafe") == "it was ***, or ***"


def test_one_text_is_looked_through_as_fast_for_thousands_of_secrets_as_for_ten() -> None:
    line, few, many = (
        "share 12345: sent: https://mastodon.example/@blogger/113456789012345678",
        masks.Masks(),
        masks.Masks(),
    )
    chance = random.Random(3000)  # noqa: S311 - the same secrets again
    for number in range(3000):
        (few if number < 10 else many).hide("".join(chance.choices(string.ascii_letters + string.digits, k=32)))

    def takes(kept: masks.Masks) -> float:
        return min(timeit.repeat(lambda: kept.over(line), number=50, repeat=7))

    assert takes(many) < 20 * takes(few)  # looked for one by one they would take three hundred times as long


def test_spans_hold_the_share_and_what_came_of_it_and_no_secret(secret: str) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    assert tracing.start(provider) is True
    try:
        with tracing.span("share", share=7, account="fedi"):
            tracing.told("attempt", outcome="refused", words=f"no {secret}")
    finally:
        tracing.start()

    (span,) = kept.get_finished_spans()
    assert dict(span.attributes or {}) == {"reverberate.share": 7, "reverberate.account": "fedi"}
    (event,) = span.events
    assert dict(event.attributes or {})["reverberate.words"] == "no ***"


def test_without_anybody_to_trace_for_a_span_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)

    assert tracing.start() is False
    assert tracing.span("share") is tracing.span("share")
