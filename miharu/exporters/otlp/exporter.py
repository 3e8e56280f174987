"""The exporter: takes batches, counts them into the metrics, and leaves them to the thread that sends."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from miharu.batch import Batch, Score
from miharu.call import Call, changed
from miharu.exporters.otlp.background import Background, content_of_body
from miharu.exporters.otlp.content import Messages
from miharu.exporters.otlp.conventions import ids_of_call
from miharu.exporters.otlp.environment import Endpoint, SignalName, environment
from miharu.exporters.otlp.lane import RECORD_BYTES, Lane
from miharu.exporters.otlp.metrics import Metrics
from miharu.exporters.otlp.payloads import Payloads
from miharu.exporters.otlp.worker import Worker
from miharu.redaction import values

__all__ = ("OTLPExporter",)

logger = logging.getLogger("miharu")

REMEMBERED = 2_000
"""Calls whose trace is remembered, so that a score by a call's id finds its span."""
_STEP = 50
"""Calls after which the exporters' loop is given to others."""


class OTLPExporter:
    """Sends calls, spans and scores to an OTLP/HTTP endpoint, by OpenTelemetry's environment variables."""

    def __init__(self) -> None:
        """Read the environment; nothing is sent yet.

        Raises:
            ConfigError: A variable is not valid.
            OSError: A certificate cannot be read.
        """
        self._environment = environment()
        for endpoint in self._environment.endpoints:
            values.keep(value for _, value in endpoint.headers if values.is_telling(value))
        self._metrics = Metrics(delta=self._environment.delta)
        self._payloads = Payloads(self._environment, self._no_messages)
        self._background = Background()
        self._traces: OrderedDict[str, str | None] = OrderedDict()
        self._service: str | None = None
        """That of the last call or span, since a score names none."""
        self._worker = Worker(
            {endpoint.signal: self._lane(endpoint) for endpoint in self._environment.endpoints},
            delay=self._environment.delay,
            metrics_interval=self._environment.metrics_interval,
            metrics_changed=lambda: self._metrics.changed,
        )

    @property
    def lost(self) -> int:
        """Calls, spans and scores that could not be delivered."""
        return self._worker.lost

    def use_messages(self, messages: Messages) -> None:
        """Be told how to read what was said in a call, before the first batch."""
        self._payloads = Payloads(self._environment, messages)

    async def export(self, batch: Batch) -> None:
        """Leave the batch to the thread that sends; it never waits for the receiver."""
        for number, call in enumerate(batch.calls, 1):
            self._remember(call)
            if settled := self._background.settled(call):
                self._metrics.record(settled)
                self._leave(settled)
            if not number % _STEP:
                await asyncio.sleep(0)
        for call in self._background.left():
            self._leave(call)
        for span in batch.spans:
            self._service = span.service
            if span.result_in is None:  # a program that traces its tools sends their spans itself
                self._worker.put("traces", span, RECORD_BYTES)
        for score in batch.scores:
            self._worker.put("logs", score, RECORD_BYTES)
        if batch.calls:
            self._worker.measured()

    async def flush(self) -> None:
        """Send what waits now; returns when it is delivered, or could not be."""
        await asyncio.wrap_future(self._worker.flush())

    async def close(self) -> None:
        """End; what could not be delivered is lost, and said."""
        if left_open := [*self._background.left(all_of_them=True)]:
            for call in left_open:
                self._leave(call)
            await self.flush()
        if left := self._worker.stop():
            logger.warning(
                "miharu: the program ends before %d OpenTelemetry records could be sent; they are lost.", left
            )

    def _leave(self, call: Call) -> None:
        content = content_of_body(call)
        if content and not self._worker.has_room(content):
            call, content = changed(call, body=None), 0
        self._worker.put("traces", call, RECORD_BYTES + content)

    def _remember(self, call: Call) -> None:
        self._service = call.service
        self._traces[call.id] = call.trace_id
        if len(self._traces) > REMEMBERED:
            self._traces.popitem(last=False)

    def _place(self, score: Score) -> tuple[str, str]:
        """Trace and span of what is scored; no span where it is a trace, or a call of long ago."""
        if score.call_id is None:
            return score.trace_id or "", ""
        trace = score.trace_id or self._traces.get(score.call_id)
        if trace is None and score.call_id not in self._traces:
            return "", ""
        return ids_of_call(score.call_id, trace)

    def _lane(self, endpoint: Endpoint) -> Lane:
        metrics = endpoint.signal == "metrics"
        return Lane(
            endpoint,
            self._maker(endpoint.signal),
            most_waiting=self._environment.most_waiting,
            most_at_once=1 if metrics else self._environment.most_at_once,
            counts=not metrics,
        )

    def _maker(self, signal: SignalName) -> Any:
        def make(records: Sequence[Any]) -> bytes:
            if signal == "traces":
                return self._payloads.traces(records)
            if signal == "logs":
                return self._payloads.logs(records, self._place, self._service)
            return self._payloads.metrics(self._metrics)

        return make

    @staticmethod
    def _no_messages(_: Call) -> None:
        return None
