"""OpenTelemetry, where it is installed and told where to send: spans around shares. Otherwise nothing, at no cost.

``pip install 'reverberate[otel]'``, and OpenTelemetry's own environment variables (OTEL_EXPORTER_OTLP_ENDPOINT and the
like). A span holds numbers and names, never a message or a secret.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from reverberate.masks import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

_tracer: Any = None
_nothing: AbstractContextManager[None] = nullcontext()


def span(name: str, **facts: Any) -> AbstractContextManager[None]:
    """A span around the block; nothing where nobody traces."""
    return _nothing if _tracer is None else _span(name, facts)


@contextmanager
def _span(name: str, facts: dict[str, Any]) -> Iterator[None]:
    attributes = {f"reverberate.{key}": value for key, value in facts.items()}
    with _tracer.start_as_current_span(name, attributes=attributes, record_exception=False):
        yield


def told(name: str, **facts: Any) -> None:
    """Add what came of it to the span that is open; nothing where nobody traces."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415 - optional

        masked = {key: mask(value) if isinstance(value, str) else value for key, value in facts.items()}
        trace.get_current_span().add_event(name, {f"reverberate.{key}": value for key, value in masked.items()})


def start(provider: Any = None) -> bool:
    """Trace from now on, to ``provider`` or where the environment says; whether anything is traced."""
    global _tracer  # noqa: PLW0603 - one process, one tracer, looked at for each share
    if provider is None:
        provider = _provider() if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else None
    _tracer = provider.get_tracer("reverberate") if provider is not None else None
    return _tracer is not None


def _provider() -> Any:
    """What sends spans to the endpoint of the environment; None where the extra is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "reverberate"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
