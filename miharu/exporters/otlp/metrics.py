"""Metrics of calls: histograms and counters, kept here until they are sent."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from miharu.call import Call, Usage
from miharu.exporters.otlp.conventions import dimensions_of, error_of
from miharu.exporters.otlp.operations import EMBEDDINGS, operation_of

__all__ = ("MOST_SERIES", "OVERFLOW", "Instrument", "Metrics", "Point", "Series")

MOST_SERIES = 2_000
"""Attribute sets of one instrument; the rest share one, as OpenTelemetry's SDKs have it."""
OVERFLOW: "Series" = (("otel.metric.overflow", True),)

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (
    *(1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0),
    *(4194304.0, 16777216.0, 67108864.0),
)
Series = tuple[tuple[str, str | int | bool], ...]
"""The attributes of a point."""


class Instrument(NamedTuple):
    name: str
    unit: str
    description: str
    bounds: tuple[float, ...] = ()
    """Of the buckets; empty for a counter."""


DURATION = Instrument("gen_ai.client.operation.duration", "s", "Duration of a call.", _SECONDS)
TOKEN_USAGE = Instrument("gen_ai.client.token.usage", "{token}", "Tokens of a call.", _TOKENS)
"""These two are of the conventions until 1.41, which today's instrumentations and dashboards use; all others
are of 0.1.0 of the conventions' own repository, which replaced them under other names."""
INFERENCE = Instrument("gen_ai.client.inference.duration", "s", "Duration of a call.", _SECONDS)
FIRST_CHUNK = Instrument(
    "gen_ai.client.inference.time_to_first_chunk", "s", "Time until a stream's first content.", _SECONDS
)
EMBEDDING = Instrument("gen_ai.client.embeddings.duration", "s", "Duration of a call.", _SECONDS)
EMBEDDED = Instrument(
    "gen_ai.client.embeddings.operation.input_tokens", "{token}", "Input tokens of a call.", _TOKENS
)
INPUT = Instrument(
    "gen_ai.client.inference.operation.input_tokens", "{token}", "Input tokens of a call.", _TOKENS
)
OUTPUT = Instrument(
    "gen_ai.client.inference.operation.output_tokens", "{token}", "Output tokens of a call.", _TOKENS
)
_USED = "gen_ai.client.inference.usage."
USED_INPUT = Instrument(f"{_USED}input_tokens", "{token}", "Input tokens, cached ones included.")
USED_OUTPUT = Instrument(f"{_USED}output_tokens", "{token}", "Output tokens, reasoning included.")
CACHE_READ = Instrument(f"{_USED}cache_read.input_tokens", "{token}", "Input tokens read from a cache.")
CACHE_WRITE = Instrument(f"{_USED}cache_write.input_tokens", "{token}", "Input tokens written to a cache.")
REASONING = Instrument(f"{_USED}reasoning.output_tokens", "{token}", "Output tokens of reasoning.")
COST = Instrument("miharu.call.cost", "USD", "Cost of calls whose price is known.")


class Point:
    """What was measured for one set of attributes."""

    __slots__ = ("buckets", "count", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.count = 0
        self.sum = 0.0
        self.buckets = [0] * (len(bounds) + 1) if bounds else []

    def add(self, value: float, bounds: tuple[float, ...]) -> None:
        self.count += 1
        self.sum += value
        if bounds:
            self.buckets[bisect_left(bounds, value)] += 1


Points = dict[Instrument, dict[Series, Point]]


class Metrics:
    """Adds up calls, by service; one thread records, another takes."""

    def __init__(self, *, delta: bool = False) -> None:
        """Prepare; with ``delta``, start over whenever the points are taken."""
        self.delta = delta
        self.changed = False
        """Whether there is something that was not taken yet."""
        self.started_ns = time.time_ns()
        self._lock = threading.Lock()
        self._points: dict[str | None, Points] = {}

    def record(self, call: Call) -> None:
        """Count the call in."""
        series = tuple(pair for pair in dimensions_of(call) if pair[1] is not None)
        with self._lock:
            points = self._points.setdefault(call.service, {})
            for instrument, value, more in _measured(call):
                _add(points.setdefault(instrument, {}), instrument, value, (*series, *more))
            self.changed = True

    def take(self) -> "tuple[Mapping[str | None, Points], int, int]":
        """The points by service, and between which moments they were measured (Unix nanoseconds)."""
        with self._lock:
            now = time.time_ns()
            points, started = self._points, self.started_ns
            self.changed = False
            if self.delta:
                self._points, self.started_ns = {}, now
                return points, started, now
            return {service: _copied(its) for service, its in points.items()}, started, now


def _measured(call: Call) -> "Iterator[tuple[Instrument, float, Series]]":
    seconds, usage = call.duration_ms / 1000, call.usage
    error = error_of(call)
    failed: Series = (("error.type", error),) if error is not None else ()
    embeds = operation_of(call.api) == EMBEDDINGS
    if call.is_timed:
        yield DURATION, seconds, failed
        yield EMBEDDING if embeds else INFERENCE, seconds, failed
    if call.ttft_ms is not None and not embeds:
        yield FIRST_CHUNK, call.ttft_ms / 1000, ()
    if usage.prompt_tokens is not None:
        yield TOKEN_USAGE, usage.prompt_tokens, (("gen_ai.token.type", "input"),)
        yield EMBEDDED if embeds else INPUT, usage.prompt_tokens, ()
    if usage.completion_tokens is not None:
        yield TOKEN_USAGE, usage.completion_tokens, (("gen_ai.token.type", "output"),)
        if not embeds:
            yield OUTPUT, usage.completion_tokens, ()
    if not embeds:
        yield from _used(usage)
    if call.cost is not None:
        yield COST, call.cost.cost_nanousd / 1e9, ()


def _used(usage: Usage) -> "Iterator[tuple[Instrument, float, Series]]":
    yield from _by_modality(
        USED_INPUT, usage.prompt_tokens, usage.audio_input_tokens, usage.image_input_tokens
    )
    yield from _by_modality(
        USED_OUTPUT, usage.completion_tokens, usage.audio_output_tokens, usage.image_output_tokens
    )
    for instrument, tokens in (
        (CACHE_READ, usage.cached_tokens),
        (CACHE_WRITE, usage.cache_write_tokens),
        (REASONING, usage.reasoning_tokens),
    ):
        if tokens:
            yield instrument, tokens, _modality("unknown")


def _by_modality(
    instrument: Instrument, total: int | None, audio: int | None, image: int | None
) -> "Iterator[tuple[Instrument, float, Series]]":
    """The parts that add up to the total; without a part, its modality is not known."""
    if total is None:
        return
    if audio:
        yield instrument, audio, _modality("audio")
    if image:
        yield instrument, image, _modality("image")
    rest = total - (audio or 0) - (image or 0)
    if rest > 0:
        yield instrument, rest, _modality("text" if audio or image else "unknown")


def _modality(name: str) -> Series:
    return (("gen_ai.token.modality", name),)


def _add(points: dict[Series, Point], instrument: Instrument, value: float, series: Series) -> None:
    point = points.get(series)
    if point is None:
        if len(points) >= MOST_SERIES:
            series = OVERFLOW
        point = points.setdefault(series, Point(instrument.bounds))
    point.add(value, instrument.bounds)


def _copied(points: Points) -> Points:
    copy: Points = {}
    for instrument, series in points.items():
        copy[instrument] = {}
        for attributes, point in series.items():
            same = copy[instrument][attributes] = Point(())
            same.count, same.sum, same.buckets = point.count, point.sum, list(point.buckets)
    return copy
