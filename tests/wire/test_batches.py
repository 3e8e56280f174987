"""A batch as it is sent: whole or refused, never more than it may be."""

import zlib
from dataclasses import replace

import pytest

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Call, Cost, Outcome, Usage
from miharu.wire import batches
from miharu.wire.batches import MARK, NotABatch, TooLarge, UnknownForm, inflated, pack, received, sent

CALL = Call(
    id="0192",
    timestamp=1_800_000_000_000,
    api="openai.chat",
    outcome=Outcome(status="success", http_status=200),
    usage=Usage(prompt_tokens=3, usage_source="provider", usage_raw='{"ü": 1}'),
    cost=Cost(cost_nanousd=5, cost_source="own"),
    tags={"team": "ö"},
    body=Body(request=b"\x00\xff", response=None),
    completes=True,
)
SPAN = Span(id="a", trace_id="b", name="run", timestamp=1, duration_ms=2, status="success")
SCORE = Score(id="c", timestamp=1, name="helpful", value=0.5)
MARKER = Marker(id="m", timestamp=3, name="deploy 1.4", kind="mark", tags={"by": "ci"})
BATCH = Batch(calls=[CALL], spans=[SPAN], scores=[SCORE], markers=[MARKER])


def compressed(payload: bytes) -> bytes:
    return MARK + b"1\n" + zlib.compress(payload)


def test_a_batch_arrives_as_it_was_sent() -> None:
    assert received(sent(BATCH)) == BATCH
    assert not received(sent(Batch()))


def test_many_calls_take_few_bytes() -> None:
    batch = Batch(calls=[replace(CALL, id=f"{n:032x}", body=None) for n in range(500)])
    assert len(sent(batch)) < 60 * 500


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a batch"),
        (b"{}", "not a batch"),
        (MARK + b"one\n", "not a batch"),
        (MARK + b"1", "not a batch"),
        (MARK + b"1\nnothing that zlib knows", "cannot be decompressed"),
        (sent(BATCH)[:-4], "ends too early"),
        (sent(BATCH) + b"x", "something follows"),
        (compressed(b"\xc1"), "cannot be read"),
        (compressed(b"\x81\xa5calls\x91\x80"), "cannot be read"),
        (compressed(pack(Batch(calls=[replace(CALL, timestamp=-1)]))), "'0192' of this batch happened at no"),
        (compressed(pack(Batch(calls=[CALL, replace(CALL, duration_ms=1 << 50)]))), "at no time"),
        (compressed(pack(Batch(scores=[replace(SCORE, value=float("nan"))]))), "score 'c'"),
    ],
)
def test_what_is_none_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(NotABatch, match=words):
        received(data)


def test_a_newer_form_says_what_to_do() -> None:
    with pytest.raises(UnknownForm, match="version 2 of the form, and this miharu reads version 1: install"):
        received(MARK + b"2\n" + zlib.compress(pack(BATCH)))


def test_fields_of_a_newer_miharu_are_passed_over() -> None:
    import msgspec

    facts = msgspec.msgpack.decode(pack(BATCH))
    facts["calls"][0]["mood"] = facts["mood"] = "new"
    assert received(compressed(msgspec.msgpack.encode(facts))) == BATCH


def test_what_becomes_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge, match="larger than 20,971,520 bytes"):
        received(compressed(bytes(batches.LARGEST_SENT + 1)))
    with pytest.raises(TooLarge):
        inflated(zlib.compress(bytes(1001)), 1000)
    assert inflated(zlib.compress(bytes(1000)), 1000) == bytes(1000)
    monkeypatch.setattr(batches, "MOST_SENT", 2)
    with pytest.raises(TooLarge, match="4 entries; send at most 2"):
        received(sent(BATCH))
