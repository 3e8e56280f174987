"""What is sent to /v1/traces and /v1/logs, by OTLP/HTTP, and what is answered."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from miharu.ingest.answer import STORED_WITHIN_S, Answer, Refusal, Sent
from miharu.ingest.clean import clean
from miharu.ingest.otlp import plain, protobuf
from miharu.ingest.otlp.content import MARKS
from miharu.ingest.otlp.memory import Memory
from miharu.ingest.otlp.records import LogRecord, OtelSpan, is_place, problem_of
from miharu.ingest.otlp.sorting import batch_of
from miharu.recorder.reading.redactor import Redactor
from miharu.wire.batches import LARGEST_SENT, NotABatch, TooLarge, inflated

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("Logs", "Traces")

MOST_SPANS = 10_000
"""Spans, or log records, of one request."""
LARGEST_JSON = 4 << 20
"""Bytes of a message in JSON, decompressed: parsed, it may take 25 times as much, and holds the interpreter's
lock until it is."""
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_FORMS: Mapping[str, ModuleType] = {_PROTOBUF: protobuf, _JSON: plain}
_AGAIN = {429, 502, 503, 504}
"""After these alone a sender may send the same again, by the specification."""
_GZIP = 31

One = TypeVar("One", OtelSpan, LogRecord)


class _Otlp:
    largest = LARGEST_SENT

    def __init__(self, memory: Memory, clock: Callable[[], float]) -> None:
        self._memory = memory
        self._clock = clock

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Answer:
        """In the sender's encoding, as the specification asks for."""
        kind = _kind(headers)
        form = _FORMS.get(kind, plain)
        kind = kind if kind in _FORMS else _JSON
        again = refusal.again_s is not None and refusal.status not in _AGAIN
        return Answer(503 if again else refusal.status, form.refusal(str(refusal)), kind, refusal.headers)

    def _opened(self, sent: Sent) -> tuple[bytes, str]:
        """The message, and its kind."""
        kind = _kind(sent.headers)
        if kind not in _FORMS:
            raise Refusal(415, f"Send {_PROTOBUF} or {_JSON}, not {kind[:100]!r}.")
        coding = sent.headers.get("content-encoding", "identity").strip().lower()
        most = LARGEST_JSON if kind == _JSON else LARGEST_SENT
        if coding in {"", "identity"}:
            if len(sent.body) > most:
                raise TooLarge(f"It is larger than {most:,} bytes: send less at once, or protobuf.")
            return sent.body, kind
        if coding != "gzip":
            raise Refusal(415, f"Send it with gzip or without compression, not with {coding[:100]!r}.")
        return inflated(sent.body, most, _GZIP), kind

    def _sorted_out(self, several: Sequence[One]) -> tuple[list[One], int, str]:
        """Those that can be taken in, how many cannot, and why the first of these cannot."""
        now = self._clock()
        problems = [problem_of(one, now) for one in several]
        good = [one for one, problem in zip(several, problems, strict=True) if problem is None]
        why = next((problem for problem in problems if problem), None)
        return good, len(several) - len(good), f"{why[0].upper()}{why[1:]}." if why else ""


class Traces(_Otlp):
    """Takes in spans."""

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        try:
            data, kind = self._opened(sent)
            spans = _FORMS[kind].spans_in(data)
        except NotABatch as error:
            raise Refusal(413 if isinstance(error, TooLarge) else 400, str(error)) from error
        if len(spans) > MOST_SPANS:
            raise Refusal(413, f"These are {len(spans):,} spans; send at most {MOST_SPANS:,} at once.")
        good, rejected, words = self._sorted_out(spans)
        batch = clean(batch_of(good, self._memory, monitor), Redactor(monitor.config.redact))
        if batch:
            monitor.take_in(batch, STORED_WITHIN_S)
        with self._memory.lock:
            self._memory.forget_events((span.trace_id, span.id) for span in good)
        return Answer(200, _FORMS[kind].answer(rejected, words, "Spans"), kind)


class Logs(_Otlp):
    """Takes in the messages of calls, which wait in memory for their spans; all other records are let go."""

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        try:
            data, kind = self._opened(sent)
            records = _FORMS[kind].logs_in(data)
        except NotABatch as error:
            raise Refusal(413 if isinstance(error, TooLarge) else 400, str(error)) from error
        good, rejected, words = self._sorted_out(records)
        if monitor.config.capture_content:
            with self._memory.lock:
                self._memory.keep_events(
                    record
                    for record in good
                    if is_place(record.trace_id, record.span_id) and record.name.startswith(MARKS)
                )
        return Answer(200, _FORMS[kind].answer(rejected, words, "LogRecords"), kind)


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
