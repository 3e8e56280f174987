"""Exchanges that are spooled before anybody has read them come out as what they were."""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu.attribution.context import Context
from miharu.attribution.stated import Stated
from miharu.batch import Batch, Score
from miharu.call import Call, Outcome
from miharu.exchange import Exchange
from miharu.holding import Holding
from miharu.plugins import load
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reading.reader import Reader
from miharu.recorder.spool import Spool, UnreadSpooling, calls_in, spool_unread
from miharu.recorder.spool import spool as spool_module
from miharu.recorder.spool.records import unpack
from miharu.recorder.spool.unread import MARK, Unread, pack_unread, unpack_unread
from tests.world import CHAT, exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
SECRET = "sk-proj-Qw7RzT5yU8iOpAsDfGhJkLzX"
HEADERS = {
    "authorization": f"Bearer {SECRET}",
    "cookie": f"session={SECRET}",
    "user-agent": "OpenAI/Python 3.1.0",
    "x-stainless-retry-count": "2",
}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
USAGE = {"prompt_tokens": 12, "completion_tokens": 3}
ANSWER = {
    "id": "c-1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def made() -> dict[str, Exchange]:
    """One of each kind."""
    told = f"Incorrect API key provided: {SECRET}"
    delta = {"id": "c-1", "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "delta": {"content": "hi"}}]}
    usual: dict[str, Any] = {"asked": ASKED, "request_headers": HEADERS}
    whose = Context(stated=Stated(user="ann", tags={"team": "search"}))
    cut = exchange(CHAT, **usual)
    cut._holding = Holding()
    for chunk in (b'{"id": "c-1", "model": "gpt-4o-2024-08-06", "choices": ["', b"x" * (9 << 20)):
        cut.keep(chunk)
    cut.keep(b'"], "usage": ' + json.dumps(USAGE).encode() + b"}")
    asked_at = f"{CHAT}?key={SECRET}"
    return {
        "plain": exchange(body=ANSWER, headers={"x-request-id": "r-1"}, context=whose, **usual),
        "streamed": exchange(
            chunks=sse(delta, {**delta, "usage": USAGE, "choices": []}),
            headers={"content-type": "text/event-stream"},
            **usual,
        ),
        "refused": exchange(body={"error": {"message": told}}, status=401, **usual),
        "refused in a stream": exchange(
            chunks=sse(delta, {"error": {"message": told, "type": "server_error"}}), **usual
        ),
        "broken off": exchange(
            status=None, end="error", error=("httpx.ConnectError", f"to {asked_at}"), **usual
        ),
        "with a key in the address": exchange(asked_at, ANSWER, **usual),
        "cancelled": exchange(chunks=sse(delta)[:1], end="cancelled", **usual),
        "large": cut,
        "fetched": exchange(f"{CHAT}/c-1", ANSWER, method="GET", asked=None, request_headers=HEADERS),
    }


def read(one: Exchange) -> Call | None:
    return Reader(FORMATS, service="shop", mint=lambda _: "id").read(one)


def kept(call: Call | None, **more: Any) -> Call | None:
    """Without what is made anew each time."""
    return call and replace(call, id="id", span_id=None, trace_id=None, call_group=None, **more)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "calls.db.spool-")


@pytest.mark.parametrize("kind", made())
def test_in_its_own_process_it_is_the_same_call(spool: Spool, kind: str) -> None:
    one = made()[kind]
    expected = read(one)
    spool.append_unread([one])
    found = spool.first()
    assert isinstance(found, list)
    assert [kept(read(each)) for each in found] == [kept(expected)]


@pytest.mark.parametrize("kind", made())
def test_to_another_process_it_says_nothing_in_words(spool: Spool, kind: str) -> None:
    one = made()[kind]
    expected = read(one)
    spool.append_unread([one])
    spool.close()
    [file] = Spool(spool.place).left_behind()
    found = file.first()
    assert isinstance(found, list)
    [call] = [kept(read(each)) for each in found]
    if expected is not None:
        expected = replace(expected, outcome=replace(expected.outcome, error_message=None))
    assert call == kept(expected)
    file.close()


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "mcp", "headers": {"X-Tenant": "Zx9Qw7Er5Ty3"}}]},
        {"tools": [{"type": "mcp", "server_url": "https://mcp.example/sse?token=Zx9Qw7Er5Ty3"}]},
        {"tools": [{"type": "mcp", "server_url": "https://mcp.example/Zx9Qw7Er5Ty3/sse"}]},
        {"data_sources": [{"parameters": {"key": "Zx9Qw7Er5Ty3"}}]},
        {"metadata": {"DBPASS": "Zx9Qw7Er5Ty3"}},
        {"messages": [{"content": "Bearer Zx9Qw7Er5Ty3"}]},
    ],
)
def test_no_credential_in_a_body_is_in_the_file(spool: Spool, more: dict[str, Any]) -> None:
    spool.append_unread([exchange(asked=ASKED | more, body=ANSWER)])
    assert spool.path is not None
    assert b"Zx9" not in spool.path.read_bytes()


def test_no_credential_of_a_request_is_in_the_file(spool: Spool) -> None:
    spool.append_unread([one for kind, one in made().items() if not kind.startswith("refused")])
    assert spool.path is not None
    assert SECRET.encode() not in spool.path.read_bytes()
    assert spool.path.stat().st_mode & 0o77 == 0


def test_content_of_another_process_is_not_kept(spool: Spool) -> None:
    spool.append_unread([made()["plain"]])
    spool.close()
    [file] = Spool(spool.place).left_behind()
    found = file.first()
    assert isinstance(found, list)
    call = Reader(FORMATS, capture_content=True).read(found[0])
    assert call is not None
    assert call.body is None
    assert (call.user_id, call.tags) == ("ann", {"team": "search"})
    file.close()


def test_it_has_its_id_before_it_is_read(spool: Spool) -> None:
    """Stored twice, it is one call."""
    spool.append_unread([made()["plain"]])
    spool.close()
    ids = set()
    for _ in range(2):
        [file] = Spool(spool.place).left_behind()
        found = file.first()
        assert isinstance(found, list)
        call = Reader(FORMATS).read(found[0])
        assert call is not None
        ids.add(call.id)
        file.close()
    assert len(ids) == 1


def test_it_keeps_its_place_among_what_was_read(spool: Spool) -> None:
    from miharu.testing.store_contract import make_call

    spool.append(Batch(calls=[make_call(model="first")]))
    spool.append_unread([made()["plain"], made()["streamed"]])
    spool.append(Batch(calls=[make_call(model="last")]))
    assert spool.waiting == 4
    kinds = []
    while (record := spool.first()) is not None:
        kinds.append(type(record).__name__)
        spool.take()
    assert kinds == ["Batch", "list", "Batch"]
    assert spool.waiting == 0


def test_what_waits_is_written_and_let_go_of(spool: Spool) -> None:
    queue = ExchangeQueue()
    score = Score(id="s", name="good", value=1.0, timestamp=1, trace_id="t")
    queue.put(made()["plain"])
    queue.put_record(score)
    queue.put(made()["streamed"])
    assert spool_unread(queue, spool)
    assert spool.waiting == 2
    assert queue.take() is score  # it waits to be read, which it needs to be
    assert len(queue) == 0
    assert not spool_unread(queue, spool)


def test_what_cannot_be_written_waits_in_its_order(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    queue, puts = ExchangeQueue(), [made()["plain"], made()["streamed"]]
    for one in puts:
        queue.put(one)
    monkeypatch.setattr(spool, "append_unread", full)
    assert not spool_unread(queue, spool)
    assert [queue.take() for _ in range(3)] == [*puts, None]


def test_a_store_in_memory_has_no_file() -> None:
    queue = ExchangeQueue()
    queue.put(made()["plain"])
    assert not spool_unread(queue, Spool(None))
    assert len(queue) == 1


def test_it_waits_a_moment_for_others(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.01, 0.02, 0.05, 0.07])
    monkeypatch.setattr(spool_module, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=bool))
    queue = ExchangeQueue()
    spooling = UnreadSpooling(queue, spool)
    queue.put(made()["plain"])
    spooling()
    spooling()
    spooling()
    assert spool.waiting == 0
    spooling()
    assert spool.waiting == 1


def damaged(record: bytes) -> Iterator[bytes]:
    yield MARK
    yield MARK + b"\xff" * 8
    yield record[:-1]
    facts = {"id": 5, "sizes": [1 << 62], "whose": []}
    for change in ({}, {"sizes": [-1]}, {"sizes": "x"}, {"sizes": [True]}):
        text = json.dumps(facts | change).encode()
        yield MARK + struct.pack("<I", len(text)) + text


def test_what_makes_no_sense_is_counted() -> None:
    record, _ = pack_unread([made()["plain"], made()["streamed"]])
    assert unpack(record)[1] == 0
    for other in damaged(record):
        found, lost = unpack(other)
        assert isinstance(found, list)
        assert lost == (other != MARK)
        assert len(found) <= 1


@given(st.binary(max_size=300))
def test_it_takes_any_bytes(payload: bytes) -> None:
    assert unpack(MARK + payload)[1] in {0, 1}


@given(st.data())
def test_it_takes_facts_of_which_anything_was_changed(data: st.DataObject) -> None:
    record, _ = pack_unread([made()["plain"]])
    (length,) = struct.unpack_from("<I", record, len(MARK))
    start = len(MARK) + 4
    facts = json.loads(record[start : start + length])
    names = data.draw(st.lists(st.sampled_from(sorted(facts)), max_size=3))
    odd = st.none() | st.integers() | st.floats() | st.sampled_from(["", [], {}, {"x": 1}, [1], True])
    facts |= {name: data.draw(odd) for name in names}
    text = json.dumps(facts).encode()
    found, lost = unpack(MARK + struct.pack("<I", len(text)) + text + record[start + length :])
    assert isinstance(found, list)
    assert lost in {0, 1}
    for one in found:
        call = Reader(FORMATS).read(one)
        assert call is None or call.timestamp >= 0


def test_a_file_remembers_how_far_it_was_stored(spool: Spool) -> None:
    for kind in ("plain", "streamed", "cancelled"):
        spool.append_unread([made()[kind]])
    assert spool.first()
    spool.take()
    assert spool.path is not None
    assert calls_in(spool.path) == 2
    spool.close()
    [file] = Spool(spool.place).left_behind()
    left = []
    while record := file.first():
        assert isinstance(record, list)
        left += record
        file.take()
    assert len(left) == 2
    file.close()
    assert not list(Spool(spool.place).left_behind())


def test_an_outcome_has_no_other_words() -> None:
    """What another process does not repeat; a new field of words has to be looked at."""
    words = {name for name in Outcome.__dataclass_fields__ if "message" in name}
    assert words == {"error_message"}


def test_unread_is_an_exchange() -> None:
    record, known = pack_unread([made()["plain"]])
    [one] = unpack_unread(record)
    assert isinstance(one, Unread)
    assert one.is_strange
    one.know(known[0])
    assert not one.is_strange
    assert one.request().headers["authorization"] == HEADERS["authorization"]


def written(spool: Spool, one: Exchange) -> bytes:
    spool.append_unread([one])
    assert spool.path is not None
    return spool.path.read_bytes()


IN_A_TOOL = {"type": "mcp", "server_url": "https://tools.example", "authorization": SECRET}


@pytest.mark.parametrize(
    "one",
    [
        exchange(asked={**ASKED, "tools": [IN_A_TOOL]}, body=ANSWER),
        exchange(asked=ASKED, body=ANSWER, context=Context(stated=Stated(tags={"api_key": SECRET}))),
        exchange(asked=ASKED, body={**ANSWER, "system_fingerprint": SECRET}, request_headers=HEADERS),
        exchange(asked=ASKED, chunks=sse({"echo": SECRET}), request_headers=HEADERS),
        exchange(asked=ASKED, body={"error": {"message": SECRET}}, status=401),
        exchange(asked=ASKED, body=ANSWER, headers={"set-cookie": f"session={SECRET}"}),
    ],
    ids=["a tool", "a tag", "the answer", "a stream", "an error", "a cookie"],
)
def test_a_credential_elsewhere_is_not_in_the_file(spool: Spool, one: Exchange) -> None:
    assert SECRET.encode() not in written(spool, one)


def test_one_of_a_tool_is_hidden_in_what_its_own_process_reads(spool: Spool) -> None:
    own = "Qw7RzT5yU8iOpAsDfGh"  # nothing but its field says what it is
    told = {"error": {"message": f"The MCP server refused {own}."}}
    asked = {**ASKED, "tools": [{**IN_A_TOOL, "authorization": own}]}
    spool.append_unread([exchange(asked=asked, body=told, status=424)])
    found = spool.first()
    assert isinstance(found, list)
    call = read(found[0])
    assert call is not None
    assert call.outcome.error_message == "The MCP server refused [redacted]."


def test_a_record_is_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put together in memory, and meanwhile nobody else has the interpreter."""
    queue, sizes = ExchangeQueue(), []
    append = spool.append_unread

    def appended(exchanges: Sequence[Exchange]) -> None:
        sizes.append(len(exchanges))
        append(exchanges)

    monkeypatch.setattr(spool, "append_unread", appended)
    for _ in range(45):
        queue.put(made()["plain"])
    for _ in range(3):
        large = exchange(asked=ASKED)
        large.keep(b"x" * 900_000)
        queue.put(large)
    assert spool_unread(queue, spool)
    assert sizes == [20, 20, 7, 1]
