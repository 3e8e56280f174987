"""What every store has to do, as tests that the author of one can run.

    from miharu.testing.store_contract import StoreContract

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def store(self):
            store = both(MyStore(...))
            await store.open()
            yield store
            await store.close()

``miharu.testing.open_store.both`` puts its writer and its questions together.
The tests are coroutines for asyncio, on which stores run. anyio's pytest plugin, which comes with miharu,
awaits them: no setting is needed.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from hashlib import sha256
from json import dumps
from typing import Any, get_args

import pytest

from miharu._bounds import MOST_MS, MOST_NANOUSD, MOST_TOKENS
from miharu.batch import RECOGNISED, UNTOLD, Batch, Marker, Score, Span
from miharu.call import Body, Call, Cost, Outcome, Usage, new_id
from miharu.conditions.language import MOST_VALUES, Condition, Operator
from miharu.stores.base import (
    MOST_VERSIONS,
    ByTag,
    Counted,
    Dimension,
    Extent,
    Kind,
    Order,
    Place,
    Query,
    RankOrder,
    Totals,
    UsesTexts,
    Whose,
)
from miharu.stores.words import Role, TextsOf
from miharu.testing.open_store import OpenStore

__all__ = ("StoreContract", "assert_none_less", "make_call")

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_790_000_040_000
"""A full minute."""
COUNTS = [field.name for field in fields(Usage) if field.name.endswith("_tokens")]
ALL = Query(start=0, end=2**62)


def make_call(**facts: Any) -> Call:
    """A successful call at ``NOON``, with the facts that are given in place of its own."""
    defaults: dict[str, Any] = {
        "timestamp": NOON,
        "api": "openai.chat",
        "model": "m",
        "provider": "openai",
        "duration_ms": 100,
        "outcome": Outcome(status="success", http_status=200),
        "usage": Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4, usage_source="provider"),
        "cost": Cost(cost_nanousd=1000, cost_source="test"),
    }
    facts = defaults | facts
    return Call(**({"id": new_id(facts["timestamp"])} | facts))


def _span(number: int, **facts: Any) -> Span:
    defaults: dict[str, Any] = {
        "trace_id": "t" * 32,
        "timestamp": NOON,
        "duration_ms": 5,
        "status": "success",
    }
    return Span(**({"id": f"{number:016x}", "name": "step"} | defaults | facts))


_SAID: Sequence[Sequence[tuple[Role, str]]] = (
    [("user", "Please, the atlas: refund me for the book"), ("assistant", "please wait")],
    [
        ("assistant", "Sorry, it failed."),
        ("tool", "payments.refund rejected: amount 12.90 €, order_id=88213 (refund, rejected)"),
    ],
    [("assistant", "Crème brûlée and coffee, Straße 7")],
    [("user", "我要退款失败。東京タワーで"), ("assistant", "환불해 주세요")],
    [("system", "No refunds."), ("user", "אפשר לקבל החזר כסף? كِتَاب हिन्दी")],
)


_SOUGHT: Sequence[tuple[Sequence[str], Sequence[int]]] = (
    (["refund"], [0, 1]),
    (["REFUND"], [0, 1]),
    (["refunds"], [4]),
    (["refun*"], [0, 1, 4]),
    (["refund rejected"], [1]),
    (["rejected refund"], []),
    (["refund", "atlas"], [0]),
    (["atlas refund"], [0]),
    (["book please"], []),  # one text ends and another begins
    (["creme brulee"], [2]),
    (["Crème BRÛLÉE"], [2]),
    (["strasse"], [2]),
    (["退款"], [3]),
    (["退款失败"], [3]),
    (["退"], [3]),
    (["款失"], [3]),
    (["败退"], []),
    (["東京"], [3]),
    (["\uff52\uff45fund"], [0, 1]),
    (["환불"], [3]),
    (["החזר"], [4]),
    (["כֶּסֶף"], [4]),
    (["كتاب"], [4]),
    (["हिन्दी"], [4]),
    (["88213"], [1]),
    (["12.90"], [1]),
    (["order_id"], [1]),
    (["payments.refund"], [1]),
    (["AND"], [2]),
    (["OR"], []),
    (['refund" OR "zebra'], []),
    (["refund' | 'zebra"], []),
    (["refund*rejected"], [1]),
    (["NEAR(refund atlas)"], []),
    (["user:refund"], []),
    (["{user}:refund"], []),
    (["-refund"], [0, 1]),
    (["^refund"], [0, 1]),
    (["%"], []),
    (["***"], []),
    (["", "refund"], []),
    (["refund\0rejected"], [1]),
    (["refund\\rejected"], [1]),
    (["\ud800refund"], [0, 1]),
    (["nowhere"], []),
)
"""Words, and in which of the calls they are."""


def _lines(*said: tuple[Role, str]) -> bytes:
    return "\n".join(f"{role}\t{text}" for role, text in said).encode()


def _texts(call: Call) -> Sequence[tuple[Role, str]]:
    assert call.body is not None
    lines = b"\n".join(filter(None, (call.body.response, call.body.request))).decode().split("\n")
    pairs = (line.split("\t") for line in lines)
    return [(role, text) for role, text in pairs]  # type: ignore[misc] # as they were written


def _saying() -> list[Call]:
    return [
        make_call(
            timestamp=NOON + number,
            session_id=str(number),
            model=f"m{number}",
            cost=Cost(cost_nanousd=number, cost_source="test"),
            body=Body(request=_lines(*said), response=b""),
        )
        for number, said in enumerate(_SAID)
    ]


async def _all_rolled_up(store: OpenStore) -> None:
    while await store.roll_up():
        pass


def _searchable(store: OpenStore, texts: TextsOf = _texts) -> None:
    if not isinstance(store.sides.inner, UsesTexts):
        pytest.skip("this store is not made for search")
    store.use_texts(texts)


async def _have_said(store: OpenStore) -> None:
    _searchable(store)
    await store.add(Batch(calls=_saying()))
    await _all_rolled_up(store)


class StoreContract:
    """Subclass it with a fixture ``store`` that gives an open, empty store."""

    pytestmark = pytest.mark.anyio
    """Its tests run in any project, with any setting for coroutines."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Stores run on asyncio, miharu's loop; anyio's plugin would try trio as well."""
        return "asyncio"

    async def test_what_was_added_is_read_back(self, store: OpenStore) -> None:
        call = make_call(
            request_model="m-latest",
            host="api.openai.com:443",
            sdk="openai/3.54.0",
            stream=True,
            ttft_ms=40,
            finish_reason="stop",
            service_tier="flex",
            response_id="resp",
            request_id="req",
            rate_limit='{"x":"1"}',
            attempt=2,
            call_group="group",
            body_hash="hash",
            service="shop",
            route="POST /chat/{id}",
            host_request_id="host",
            user_id="user",
            session_id="session",
            trace_id="trace",
            span_id="span",
            parent_id="parent",
            prompt_name="support.answer",
            prompt_hash="d41f00c0ffee",
            duplicate_of="earlier",
            cache_missed_tokens=11,
            cache_missed_nanousd=12,
            tools='["find_order", "refund"]',
            tags={"team": "search", "ümlaut": "日本"},
            outcome=Outcome(
                status="error",
                http_status=500,
                error_type="server_error",
                error_message='it\'s "broken"; DROP TABLE llm_calls',
                retry_after_ms=9,
            ),
            usage=Usage(
                prompt_tokens=MOST_TOKENS,
                completion_tokens=0,
                cached_tokens=1,
                cache_write_tokens=2,
                cache_write_5m_tokens=3,
                cache_write_1h_tokens=4,
                reasoning_tokens=5,
                audio_input_tokens=6,
                audio_output_tokens=7,
                image_input_tokens=8,
                image_output_tokens=9,
                usage_source="estimated",
                usage_raw='{"a":1}',
            ),
            cost=Cost(cost_nanousd=MOST_NANOUSD, cost_source="test", price_version="7"),
        )
        bare = make_call(model=None, provider=None, usage=Usage(), cost=None)
        assert await store.add(Batch(calls=[call, bare])) == 2
        assert await store.call(call.id) == call
        assert await store.call(bare.id) == bare

    async def test_text_that_is_none_is_kept_as_well_as_can_be(self, store: OpenStore) -> None:
        odd = make_call(user_id="a\0b", model="half \ud83d", tags={"\0": "\udc00", "team": "a"})
        bad = Outcome(status="error", error_type="\0", error_message="before\0after \udfff")
        await store.add(Batch(calls=[odd, make_call(outcome=bad), make_call(usage=Usage(usage_raw="\0"))]))
        call = await store.call(odd.id)
        assert call is not None
        assert (call.user_id, call.model) == ("a\ufffdb", "half ?")
        assert call.tags == {"\ufffd": "?", "team": "a"}
        assert await store.calls(replace(ALL, tag=("team", "a"))) == [call]
        assert (await store.totals(ALL)).calls == 3

    async def test_keys_of_any_length_are_told_apart(self, store: OpenStore) -> None:
        long = ["日本" + "".join(sha256(b"%d %d" % (i, n)).hexdigest() for n in range(150)) for i in range(3)]
        long[2] = long[0][:-1] + "!"
        facts = (
            *("service", "provider", "model", "route", "user_id", "session_id", "trace_id"),
            *("prompt_name", "prompt_hash"),
        )
        calls = [make_call(timestamp=NOON + i, **dict.fromkeys(facts, key)) for i, key in enumerate(long)]
        await store.add(Batch(calls=calls))
        while await store.roll_up():
            pass
        for by in set(get_args(Dimension)) - {"status", "error_type"}:
            assert [group.totals.calls for group in await store.groups(ALL, by)] == [1, 1, 1]
        assert len(await store.sessions(ALL)) == 3

    async def test_a_book_in_a_field_is_shortened(self, store: OpenStore) -> None:
        book = "x" * 1_000_000
        call = make_call(
            sdk=book,
            rate_limit=book,
            tags={str(number): book[:200] for number in range(5_000)},
            outcome=Outcome(status="error", error_message=book),
            usage=Usage(usage_raw=book),
        )
        await store.add(Batch(calls=[call]))
        found = await store.call(call.id)
        assert found is not None
        texts = (found.sdk, found.rate_limit, found.outcome.error_message, found.usage.usage_raw)
        for text in texts:
            assert text is not None
            assert text.startswith("xxx")
            assert text.endswith("…")
            assert len(text) < 100_000
        assert found.tags
        assert len(found.tags) < 100

    async def test_a_body_comes_with_its_call_only(self, store: OpenStore) -> None:
        call = make_call(body=Body(request=b'{"a": 1}' * 1000, response=None))
        await store.add(Batch(calls=[call]))
        assert await store.call(call.id) == call
        assert await store.calls(ALL) == [replace(call, body=None)]

    async def test_a_call_that_is_there_is_skipped(self, store: OpenStore) -> None:
        one, two = make_call(), make_call()
        assert await store.add(Batch(calls=[one])) == 1
        assert await store.add(Batch(calls=[one, two])) == 1
        assert (await store.totals(ALL)).calls == 2

    async def test_the_end_of_a_background_call_completes_it_once(self, store: OpenStore) -> None:
        asked = {"route": "POST /ask", "prompt_name": "p", "prompt_hash": "1"}
        opened = make_call(response_id="resp_1", usage=Usage(), cost=None, duration_ms=5, **asked)
        await store.add(Batch(calls=[opened, make_call(response_id="resp_2")]))
        end = make_call(
            response_id="resp_1",
            timestamp=NOON + 900,
            duration_ms=4000,
            finish_reason="completed",
            completes=True,
        )
        assert await store.add(Batch(calls=[end])) == 0
        assert await store.add(Batch(calls=[make_call(response_id="resp_1", completes=True)])) == 0
        call = await store.call(opened.id)
        assert call is not None
        assert {name: getattr(call, name) for name in asked} == asked
        assert (call.route, call.timestamp, call.duration_ms) == ("POST /ask", NOON, 4000)
        assert (call.usage, call.cost, call.finish_reason) == (end.usage, end.cost, "completed")
        assert (await store.totals(ALL)).calls == 2

    async def test_the_end_of_a_background_call_may_come_in_the_same_batch(self, store: OpenStore) -> None:
        opened = make_call(response_id="resp_1", usage=Usage(), cost=None)
        end = make_call(response_id="resp_1", timestamp=NOON + 900, completes=True)
        assert await store.add(Batch(calls=[end, opened])) == 1
        assert (await store.totals(ALL)).calls == 1
        call = await store.call(opened.id)
        assert call is not None
        assert (call.usage, call.cost) == (end.usage, end.cost)

    async def test_the_answer_of_a_background_call_takes_the_place_of_the_receipt(
        self, store: OpenStore
    ) -> None:
        opened = make_call(
            response_id="resp_1", usage=Usage(), body=Body(request=b"a question", response=b"queued")
        )
        end = make_call(response_id="resp_1", body=Body(request=b"", response=b"an answer"), completes=True)
        await store.add(Batch(calls=[opened]))
        await store.add(Batch(calls=[end]))
        call = await store.call(opened.id)
        assert call is not None
        assert call.body == Body(request=b"a question", response=b"an answer")
        assert await store.call(end.id) is None

    async def test_the_end_of_a_call_that_nobody_saw_begin_is_a_call(self, store: OpenStore) -> None:
        end = make_call(response_id="resp_1", completes=True)
        assert await store.add(Batch(calls=[end])) == 1
        assert await store.add(Batch(calls=[make_call(response_id="resp_1", completes=True)])) == 0
        assert await store.call(end.id) == replace(end, completes=False)

    async def test_an_unknown_call_is_none(self, store: OpenStore) -> None:
        assert await store.call("nobody") is None

    async def test_the_revision_moves_with_each_add(self, store: OpenStore) -> None:
        before = await store.revision()
        await store.add(Batch(calls=[make_call()]))
        assert await store.revision() > before

    async def test_no_calls_are_zeros_and_unknowns(self, store: OpenStore) -> None:
        totals, latency = await store.totals(ALL), await store.latency(ALL)
        assert (totals.calls, totals.cost_nanousd, totals.prompt_tokens) == (0, 0, 0)
        assert (latency.p50_ms, latency.p95_ms, latency.ttft_p50_ms) == (None, None, None)
        assert not await store.series(ALL, MINUTE)
        assert not await store.groups(ALL, "model")
        assert not await store.durations(ALL, MINUTE)
        assert not await store.calls(ALL)

    async def test_totals_are_exact(self, store: OpenStore) -> None:
        await store.add(
            Batch(
                calls=[
                    *(
                        make_call(cost=Cost(cost_nanousd=MOST_NANOUSD - 1, cost_source="x"))
                        for _ in range(600)
                    ),
                    make_call(cost=None),
                    make_call(cost=None, outcome=Outcome(status="cancelled"), usage=Usage()),
                    make_call(cost=None, outcome=Outcome(status="error", http_status=429), usage=Usage()),
                    make_call(cost=None, outcome=Outcome(status="error", http_status=500)),
                    make_call(usage=Usage(prompt_tokens=1, usage_source="estimated")),
                ]
            )
        )
        totals = await store.totals(ALL)
        assert totals.calls == 605
        assert totals.cost_nanousd == 600 * (MOST_NANOUSD - 1) + 1000
        assert (totals.errors, totals.rate_limited, totals.cancelled) == (2, 1, 1)
        assert (totals.unpriced, totals.estimated) == (3, 1)
        assert (totals.prompt_tokens, totals.completion_tokens, totals.cached_tokens) == (6021, 3010, 2408)

    async def test_ten_million_calls_at_the_bounds_can_be_added_up(self, store: OpenStore) -> None:
        """A few of them tell of all: each sum is linear, and has room for as many."""
        most = Usage(**dict.fromkeys(COUNTS, MOST_TOKENS), usage_source="provider")  # type: ignore[arg-type]
        dearest = make_call(
            usage=most,
            cost=Cost(cost_nanousd=MOST_NANOUSD, cost_source="x"),
            duration_ms=MOST_MS,
            ttft_ms=MOST_MS,
            duplicate_of="another",
            cache_missed_tokens=MOST_TOKENS,
            cache_missed_nanousd=MOST_NANOUSD,
            session_id="s",
        )
        for _ in range(5):  # so many that they are folded into the sums that are kept
            await store.add(Batch(calls=[replace(dearest, id=new_id(NOON)) for _ in range(500)]))
        while await store.roll_up():
            pass
        totals = await store.totals(ALL)
        for name, value in asdict(totals).items():
            assert value % 2500 == 0
            assert value // 2500 * 10**7 < 2**63, name
        assert (totals.calls, totals.cost_nanousd) == (2500, 2500 * MOST_NANOUSD)
        assert (totals.duration_ms, totals.prompt_tokens) == (2500 * MOST_MS, 2500 * MOST_TOKENS)
        (group,) = await store.groups(ALL, "model")
        assert _near(group.latency.p95_ms, MOST_MS)
        assert [session.totals for session in await store.sessions(ALL)] == [totals]
        assert sum(n for _, _, n in await store.durations(ALL, MINUTE)) == 2500

    async def test_what_cannot_be_breaks_no_sum(self, store: OpenStore) -> None:
        """Whatever numbers a provider reports, and also where the call did not come through the recorder."""
        absurd = [2**53 - 1, 2**62, 2**63, 10**300, -1, -(2**63)]
        calls = [
            make_call(
                timestamp=NOON + i,
                usage=Usage(
                    prompt_tokens=value, completion_tokens=5, usage_source="provider", usage_raw="{}"
                ),
                cost=Cost(cost_nanousd=value, cost_source="x"),
                duration_ms=value,
                ttft_ms=value,
                outcome=Outcome(status="success", retry_after_ms=value),
            )
            for i, value in enumerate(absurd)
        ]
        await store.add(Batch(calls=calls))
        while await store.roll_up():
            pass
        for call in await store.calls(ALL):
            assert call.usage == Usage(usage_source="none", usage_raw="{}")
            assert (call.cost, call.ttft_ms, call.outcome.retry_after_ms) == (None, None, None)
            assert 0 <= call.duration_ms <= MOST_MS
        totals = await store.totals(ALL)
        assert (totals.calls, totals.prompt_tokens, totals.cost_nanousd) == (len(absurd), 0, 0)
        assert totals.unpriced == len(absurd)
        assert len(await store.durations(ALL, MINUTE)) > 0
        span = Span(
            id="1" * 16, trace_id="t" * 32, name="x", timestamp=NOON, duration_ms=2**62, status="success"
        )
        await store.add(Batch(spans=[span]))
        assert [found.duration_ms for found in await store.spans("t" * 32)] == [MOST_MS]

    async def test_a_query_says_which_calls(self, store: OpenStore) -> None:
        calls = [
            make_call(timestamp=NOON + i * MINUTE, model=f"m{i % 2}", route=f"r{i % 3}", user_id=f"u{i}")
            for i in range(6)
        ]
        await store.add(Batch(calls=calls))

        async def found(**facts: Any) -> set[Any]:
            query = Query(**({"start": NOON, "end": NOON + 6 * MINUTE} | facts))
            read = await store.calls(query)
            assert (await store.totals(query)).calls == len(read)
            return {call.user_id for call in read}

        assert await found() == {"u0", "u1", "u2", "u3", "u4", "u5"}
        assert await found(start=NOON + 1) == {"u1", "u2", "u3", "u4", "u5"}
        assert await found(end=NOON + MINUTE) == {"u0"}
        assert await found(model="m1") == {"u1", "u3", "u5"}
        assert await found(model="m1", route="r0") == {"u3"}
        assert await found(user_id="u4") == {"u4"}
        assert await found(provider="nobody") == set()
        assert await found(status="error") == set()

    async def test_a_query_may_name_the_attempts_of_one_call(self, store: OpenStore) -> None:
        calls = [make_call(timestamp=NOON + i, call_group=f"g{i % 2}", attempt=i // 2 + 1) for i in range(6)]
        await store.add(Batch(calls=[*calls, make_call()]))
        query = replace(ALL, call_group="g1")
        assert [call.attempt for call in await store.calls(query)] == [3, 2, 1]
        assert (await store.totals(query)).calls == 3

    async def test_calls_come_in_any_order(self, store: OpenStore) -> None:
        usage = Usage(prompt_tokens=1, completion_tokens=1, usage_source="provider")
        sizes = [3, 1, None, 2, 3, None, 0]
        calls = [
            make_call(
                timestamp=NOON + i,
                duration_ms=size or 0,
                ttft_ms=size,
                cost=None if size is None else Cost(cost_nanousd=size, cost_source="x"),
                usage=replace(usage, prompt_tokens=size, completion_tokens=size),
                model=f"m{i % 2}",
                user_id="ann",
            )
            for i, size in enumerate(sizes)
        ]
        await store.add(Batch(calls=calls))

        async def paged(order: Order, query: Query = ALL, most: int = 2) -> list[int]:
            found: list[Call] = []
            while some := await store.calls(query, most, found[-1].id if found else None, order):
                found += some
            return [call.timestamp - NOON for call in found]

        down, up = [4, 0, 3, 1, 6, 5, 2], [6, 1, 3, 4, 0, 5, 2]
        for by in ("cost_nanousd", "ttft_ms", "prompt_tokens", "completion_tokens"):
            assert await paged(Order(by)) == down
            assert await paged(Order(by, descending=False), most=1) == up
        assert await paged(Order("duration_ms"), most=3) == [4, 0, 3, 1, 6, 5, 2]
        assert await paged(Order("timestamp", descending=False)) == [0, 1, 2, 3, 4, 5, 6]
        assert await paged(Order("timestamp")) == [6, 5, 4, 3, 2, 1, 0]
        assert await paged(Order("cost_nanousd"), replace(ALL, model="m0", user_id="ann")) == [4, 0, 6, 2]
        assert await paged(Order("cost_nanousd"), replace(ALL, start=NOON + 1, end=NOON + 4)) == [3, 1, 2]
        assert await store.calls(ALL, 2, "00000000-0000-7000-8000-000000000000", Order("cost_nanousd")) == []
        (dearest,) = await store.calls(ALL, 1, order=Order("cost_nanousd"))
        assert dearest == calls[4]

    async def test_a_query_may_name_a_tag(self, store: OpenStore) -> None:
        tags: list[dict[str, str] | None] = [
            {"team": "search", "env": "prod"},
            {"team": "ads", "env": "search"},
            {'ümlaut "日本"': "a'b\\"},
            {"team": "search"},
            None,
        ]
        await store.add(
            Batch(calls=[make_call(timestamp=NOON + i, tags=each, model="m") for i, each in enumerate(tags)])
        )

        async def found(name: str, value: str, **filters: Any) -> list[int]:
            query = replace(ALL, tag=(name, value), **filters)
            totals = await store.totals(query)
            assert sum(group.totals.calls for group in await store.groups(query, "model")) == totals.calls
            assert totals.cost_nanousd == 1000 * totals.calls
            calls = await store.calls(query)
            assert len(calls) == totals.calls
            return [call.timestamp - NOON for call in calls]

        assert await found("team", "search") == [3, 0]
        assert await found("team", "search", model="m", start=NOON + 1) == [3]
        assert await found("env", "search") == [1]
        assert await found("search", "env") == []
        assert await found('ümlaut "日本"', "a'b\\") == [2]

    async def test_a_condition_says_which_calls(self, store: OpenStore) -> None:
        """Each operator, with what is not known on the side where it belongs."""
        odd = "a\"b\\*%_[x]?'日本"
        facts: list[dict[str, Any]] = [
            {"user_id": "u_1", "model": "gpt-4o", "cost": Cost(cost_nanousd=5, cost_source="x")},
            {"user_id": "u_2", "model": "gpt-4o-mini", "ttft_ms": 40, "tags": {"team": "search", "a.b": odd}},
            {"user_id": None, "model": "GPT-4o", "cost": None, "tags": {"team": "Ads"}},
            {"user_id": odd, "model": "claude-x", "usage": Usage(), "attempt": 2, "session_id": "s1"},
            {
                "user_id": "u_2",
                "model": None,
                "finish_reason": "stop",
                "session_id": "s2",
                "route": "GET /%_",
            },
            {"user_id": "U_2", "usage": Usage(prompt_tokens=7), "route": "POST /x_y", "duration_ms": 5000},
        ]
        failed = Outcome(status="error", http_status=429, error_type="rate_limit")
        facts[5]["outcome"] = failed
        lists = (["find", "refund"], ["find_all", odd], None, ['x, "find"'], {"find": "find"})
        for number, names in enumerate(lists):
            facts[number]["tools"] = names and json.dumps(names, ensure_ascii=False)
        facts[5]["tools"] = '["find'  # nothing that miharu writes
        calls = [make_call(timestamp=NOON + i * MINUTE, **each) for i, each in enumerate(facts)]
        await store.add(Batch(calls=calls))

        def one(field: str, operator: Any, *values: Any, patterns: Any = (), name: Any = None) -> Condition:
            return Condition(field=field, operator=operator, values=values, patterns=patterns, name=name)

        expected: list[tuple[Condition, list[int]]] = [
            (one("user_id", "in", "u_1", odd), [0, 3]),
            (one("user_id", "in", "u_1", ""), [0, 2]),
            (one("user_id", "not in", "u_1"), [1, 2, 3, 4, 5]),
            (one("user_id", "not in", "u_1", "u_2", ""), [3, 5]),
            (one("user_id", "any"), [0, 1, 3, 4, 5]),
            (one("user_id", "none"), [2]),
            (one("user_id", "in", patterns=[("u_", "")]), [0, 1, 4]),
            (one("user_id", "not in", "u_1", patterns=[("", "2")]), [2, 3]),
            (one("user_id", "in", patterns=[(odd, "")]), [3]),
            (one("user_id", "in", patterns=[("a", "[x]?", "本")]), [3]),
            (one("model", "in", patterns=[("gpt-4o", "")]), [0, 1]),
            (one("model", "in", patterns=[("", "4o")]), [0, 2]),
            (one("model", "not in", "gpt-4o", "claude-x"), [1, 2, 4, 5]),
            (one("model", "none"), [4]),
            (one("route", "in", patterns=[("", "%_", "")]), [4]),
            (one("route", "in", patterns=[("", "_y")]), [5]),
            (one("route", "none"), [0, 1, 2, 3]),
            (one("session_id", "in", "s1", "s2"), [3, 4]),
            (one("session_id", "not in", "s1"), [0, 1, 2, 4, 5]),
            (one("status", "in", "error", "cancelled"), [5]),
            (one("status", "not in", "error"), [0, 1, 2, 3, 4]),
            (one("error_type", "any"), [5]),
            (one("error_type", "not in", "rate_limit"), [0, 1, 2, 3, 4]),
            (one("finish_reason", "any"), [4]),
            (one("finish_reason", "not in", "stop"), [0, 1, 2, 3, 5]),
            (one("cost_nanousd", ">", 5), [1, 3, 4, 5]),
            (one("cost_nanousd", ">=", 5), [0, 1, 3, 4, 5]),
            (one("cost_nanousd", "<", 1000), [0]),
            (one("cost_nanousd", "<=", 4), []),
            (one("cost_nanousd", "none"), [2]),
            (one("cost_nanousd", "any"), [0, 1, 3, 4, 5]),
            (one("duration_ms", ">", 4999), [5]),
            (one("ttft_ms", "<", 100), [1]),
            (one("tokens", ">", 10), [0, 1, 2, 4]),
            (one("tokens", "<=", 7), [5]),
            (one("tokens", "none"), [3]),
            (one("tokens", "not in", 15), [3, 5]),
            (one("prompt_tokens", "in", 7, 8), [5]),
            (one("cached_tokens", ">=", 4), [0, 1, 2, 4]),
            (one("attempt", ">", 1), [3]),
            (one("http_status", "in", 429, 500), [5]),
            (one("http_status", "not in", 200), [5]),
            (one("tag", "in", "search", "ads", name="team"), [1]),
            (one("tag", "not in", "search", name="team"), [0, 2, 3, 4, 5]),
            (one("tag", "any", name="team"), [1, 2]),
            (one("tag", "none", name="team"), [0, 3, 4, 5]),
            (one("tag", "in", odd, name="a.b"), [1]),
            (one("tag", "in", patterns=[("", "日", "")], name="a.b"), [1]),
            (one("tools", "in", "find"), [0]),
            (one("tools", "in", "", "refund"), [0, 2]),
            (one("tools", "in", odd, 'x, "find"'), [1, 3]),
            (one("tools", "not in", "find"), [1, 2, 3, 4, 5]),
            (one("tools", "in", patterns=[("find", "")]), [0, 1]),
            (one("tools", "not in", patterns=[("", "und")]), [1, 2, 3, 4, 5]),
            (one("tools", "in", patterns=[("find", "und")]), []),
            (one("tools", "any"), [0, 1, 3, 4, 5]),
            (one("tools", "none"), [2]),
        ]
        for rolled in (False, True):
            while rolled and await store.roll_up():
                pass
            for condition, numbers in expected:
                query = replace(ALL, conditions=(condition,))
                found = await store.calls(query)
                assert [calls.index(call) for call in found] == numbers[::-1], condition
                dearest = await store.calls(query, order=Order("cost_nanousd"))
                assert sorted(calls.index(call) for call in dearest) == numbers, condition
                totals = await store.totals(query)
                assert totals.calls == len(numbers), condition
                assert totals.cost_nanousd == sum(call.cost.cost_nanousd for call in found if call.cost)
                for by in ("model", "user_id"):
                    groups = await store.groups(query, by)
                    assert sum(group.totals.calls for group in groups) == len(numbers), (condition, by)
                points = await store.series(query, MINUTE)
                assert [point.t for point in points] == [NOON + number * MINUTE for number in numbers]
                timed = sum(n for _, _, n in await store.durations(query, MINUTE))
                assert timed == len(set(numbers) - {5}), condition
                sessions = {session.id for session in await store.sessions(query)}
                assert sessions == {f"s{number - 2}" for number in numbers if number in {3, 4}}, condition
                if await store.has_sums(query):
                    assert condition.field in {*get_args(Dimension), "session_id"}, condition
        both = (one("user_id", "not in", "u_1"), one("cost_nanousd", ">", 5), one("model", "any"))
        assert [calls.index(call) for call in await store.calls(replace(ALL, conditions=both))] == [5, 3, 1]
        assert (await store.totals(replace(ALL, conditions=both, model="gpt-4o-mini"))).calls == 1
        assert (await store.totals(replace(ALL, conditions=both, start=NOON + 2 * MINUTE))).calls == 2

    async def test_calls_of_many_traces_are_found_at_once(self, store: OpenStore) -> None:
        calls = [
            make_call(timestamp=NOON + i, trace_id=f"{i // 2:032x}") for i in range(2 * MOST_VALUES + 20)
        ]
        await store.add(Batch(calls=[*calls, make_call(timestamp=NOON + 1)]))
        traces = tuple(f"{i:032x}" for i in range(5, 5 + MOST_VALUES))
        of_these = Condition(field="trace_id", operator="in", values=traces)
        meant = [call for call in calls if call.trace_id in traces][::-1]
        query = replace(ALL, conditions=(of_these,))
        for _ in range(2):
            assert await store.calls(query, 500) == meant
            assert await store.calls(query, 7) == meant[:7]
            narrow = replace(query, start=NOON + 20, end=NOON + 40)
            assert await store.calls(narrow, 500) == calls[20:40][::-1]
            while await store.roll_up():
                pass

    async def test_a_condition_may_be_on_a_score(self, store: OpenStore) -> None:
        calls = [make_call(timestamp=NOON + i, trace_id=f"{i:032x}" if i else None) for i in range(5)]
        await store.add(Batch(calls=calls))
        given = [
            (calls[0], None, "helpful", 0.25),
            (calls[0], None, "helpful", 1.0),
            (calls[1], None, "help'ful", 0.25),
            (None, calls[2].trace_id, "helpful", -3.5),
            (None, calls[3].trace_id, "helpful", 0.5),
        ]
        scores = [
            Score(
                id=new_id(NOON + 60 + i),
                timestamp=NOON + 60 + i,
                name=name,
                value=value,
                call_id=call.id if call else None,
                trace_id=trace,
            )
            for i, (call, trace, name, value) in enumerate(given)
        ]
        await store.add(Batch(scores=scores))

        async def found(operator: Any, *values: float, name: str = "helpful") -> list[int]:
            condition = Condition(field="score", operator=operator, values=values, name=name)
            query = replace(ALL, conditions=(condition,))
            assert not await store.has_sums(query)
            read = await store.calls(query)
            assert (await store.totals(query)).calls == len(read)
            return [call.timestamp - NOON for call in read]

        assert await found("<", 0.5) == [2, 0]
        assert await found("<=", 0.5) == [3, 2, 0]
        assert await found(">", 0.5) == [0]
        assert await found(">=", 1) == [0]
        assert await found("in", 0.25, 0.5) == [3, 0]
        assert await found("not in", 0.25) == [4, 3, 2, 1]
        assert await found("any") == [3, 2, 0]
        assert await found("none") == [4, 1]
        assert await found("any", name="help'ful") == [1]
        assert await found("any", name="nothing") == []

    async def test_scores_are_added_up_by_the_calls_that_they_count_for(self, store: OpenStore) -> None:
        trace = "7" * 32
        calls = [
            make_call(timestamp=NOON, model="a", user_id="u_1", route="GET /", tags={"team": "x"}),
            make_call(timestamp=NOON + 1, model="b", user_id="u_1", route="GET /", trace_id=trace),
            make_call(timestamp=NOON + 2, model="a", service="web", trace_id=trace),
            make_call(timestamp=NOON + MINUTE, model="c", route="GET /", trace_id=trace),
            make_call(timestamp=NOON + HOUR, model="b", tags={"team": "x"}, prompt_name="p", prompt_hash="v"),
        ]
        given = [
            (calls[0].id, trace, "helpful", 1.0, 9 * MINUTE),  # one that names both is the call's own
            (calls[0].id, None, "helpful", 0.0, 9 * MINUTE),
            (None, trace, "helpful", 0.25, 1000),  # before the last call of the trace had begun
            (None, trace, "helpful", 0.5, 9 * MINUTE),
            (None, trace, "helpful", 0.75, -1000),  # before any had
            (calls[4].id, None, "helpful", -2.0, 2 * HOUR),
            (calls[4].id, None, "short", 5.0, 2 * HOUR),
            (new_id(NOON), None, "helpful", 9.0, 2 * HOUR),  # of no call that is there
            (None, "8" * 32, "helpful", 9.0, 2 * HOUR),
        ]
        scores = [
            Score(
                id=new_id(NOON + number),
                timestamp=NOON + later,
                name=name,
                value=value,
                call_id=call_id,
                trace_id=of,
            )
            for number, (call_id, of, name, value, later) in enumerate(given)
        ]
        await store.add(Batch(calls=calls, scores=scores))
        await self._all_done(store)

        async def sums(query: Query = ALL, **asked: Any) -> list[tuple[int, str | None, int, float]]:
            found = await store.score_sums(query, "helpful", **asked)
            return [(one.t - NOON, one.key, one.number, one.total) for one in found]

        assert await store.score_names(ALL) == {"helpful": 5, "short": 1}
        assert await store.score_names(replace(ALL, model="b")) == {"helpful": 1, "short": 1}
        start = ALL.start - NOON
        assert await sums() == [(start, None, 5, -0.25)]
        assert await sums(by="model") == [(start, "a", 3, 1.25), (start, "b", 1, -2.0), (start, "c", 1, 0.5)]
        assert await sums(by="model", among=["c", "b"]) == [(start, "b", 1, -2.0), (start, "c", 1, 0.5)]
        assert await sums(by="model", among=[]) == []
        assert await sums(by="user_id") == [(start, None, 3, -1.25), (start, "u_1", 2, 1.0)]
        assert await sums(by="route", among=[None]) == [(start, None, 2, -1.75)]
        assert await sums(by="service") == [(start, None, 4, -0.5), (start, "web", 1, 0.25)]
        assert await sums(by="prompt_name") == [(start, None, 4, 1.75), (start, "p", 1, -2.0)]
        assert await sums(by="prompt_hash", among=["v"]) == [(start, "v", 1, -2.0)]
        assert await sums(replace(ALL, prompt_name="p"), by="prompt_hash") == [(start, "v", 1, -2.0)]
        squares = {one.key: one.squares for one in await store.score_sums(ALL, "helpful", "model")}
        assert squares == {"a": 1.0625, "b": 4.0, "c": 0.25}
        assert await sums(by="status") == [(start, "success", 5, -0.25)]
        assert await sums(by=ByTag("team")) == [(start, None, 2, 0.75), (start, "x", 3, -1.0)]
        assert await sums(step_ms=MINUTE) == [
            (0, None, 3, 1.25),
            (MINUTE, None, 1, 0.5),
            (HOUR, None, 1, -2.0),
        ]
        assert await sums(step_ms=HOUR, offset_ms=HOUR // 2, by="model", among=["b"]) == [
            ((NOON + HOUR // 2) // HOUR * HOUR + HOUR // 2 - NOON, "b", 1, -2.0)
        ]
        narrow: list[tuple[Query, float]] = [
            (replace(ALL, user_id="u_1"), 1.0),
            (replace(ALL, model="a", service="web"), 0.25),
            (replace(ALL, tag=("team", "x")), -1.0),
            (replace(ALL, trace_id=trace), 0.75),
            (replace(ALL, start=NOON + 1), -1.25),
            (replace(ALL, end=NOON + HOUR), 1.75),
            # the trace goes on behind the end: its score counts there
            (replace(ALL, end=NOON + 3), 1.25),
            (replace(ALL, conditions=(Condition(field="model", operator="not in", values=("a",)),)), -1.5),
        ]
        for query, total in narrow:
            assert sum(one[3] for one in await sums(query)) == total, query
        assert await sums(replace(ALL, model="no such")) == []

        async def lowest(query: Query = ALL, **asked: Any) -> list[tuple[float, int]]:
            found = await store.scored(query, "helpful", **asked)
            return [(one.value, calls.index(one.call)) for one in found]

        in_order = [(-2.0, 4), (0.0, 0), (0.25, 2), (0.5, 3), (1.0, 0)]
        assert await lowest() == in_order
        assert await lowest(descending=True) == in_order[::-1]
        assert await lowest(replace(ALL, status="success", model="a")) == [in_order[1], *in_order[2::2]]
        assert await lowest(limit=0) == []
        for descending in (False, True):
            walked, after = list[tuple[float, int]](), None
            while page := await store.scored(ALL, "helpful", 2, after, descending=descending):
                walked += [(one.value, calls.index(one.call)) for one in page]
                after = page[-1].score_id
            assert walked == (in_order[::-1] if descending else in_order)
        assert await store.scored(ALL, "helpful", after="no such") == []

        await store.forget(Whose(users=("u_1",)))
        assert await sums() == [(start, None, 3, -1.25)]
        assert "u_1" not in {one[1] for one in await sums(by="user_id")}
        await store.prune(NOON + MINUTE)
        await self._all_done(store)
        assert [one[1:] for one in await sums(by="model")] == [("b", 1, -2.0), ("c", 1, 0.5)]

    async def test_a_score_may_come_before_its_call(self, store: OpenStore) -> None:
        now = int(time.time() * 1000)
        call = make_call(timestamp=now - 5)
        score = Score(id=new_id(now), timestamp=now, name="helpful", value=0.5, call_id=call.id)
        query = Query(start=now - HOUR, end=now + HOUR)
        await store.add(Batch(scores=[score]))
        await self._all_done(store)
        assert await store.score_sums(query, "helpful") == []
        await store.add(Batch(calls=[call], scores=[score]))
        await self._all_done(store)
        assert await store.score_names(query) == {"helpful": 1}

    async def _all_done(self, store: OpenStore) -> None:
        while await store.roll_up():
            pass

    async def test_what_cannot_be_asked_for_is_refused(self, store: OpenStore) -> None:
        impossible = [
            Condition(field="id = '' OR 1", operator="any"),
            Condition(field="model", operator="IS NOT NULL OR"),  # type: ignore[arg-type] # not possible
            Condition(field="model", operator=">", values=("a",)),
            Condition(field="cost_nanousd", operator=">", values=("1 OR 1",)),
            Condition(field="cost_nanousd", operator=">", values=()),
            Condition(field="tag", operator="any"),
        ]
        await store.add(Batch(calls=[make_call()]))
        for condition in impossible:
            for ask in (store.totals, store.calls, store.sessions, store.latency, store.failed_spans):
                with pytest.raises(ValueError, match="'"):
                    await ask(replace(ALL, conditions=(condition,)))
        for ask in (store.totals, store.calls, store.sessions, store.latency):
            with pytest.raises(ValueError, match="choose one of system, user, assistant, tool"):
                await ask(replace(ALL, words=("refund",), said_by="} : (a"))  # type: ignore[arg-type] # not possible
            with pytest.raises(ValueError, match="at most 50 words"):
                await ask(replace(ALL, words=("refund",) * 51))

    async def test_calls_are_found_by_what_was_said(self, store: OpenStore) -> None:
        await _have_said(store)
        for words, found in _SOUGHT:
            query = replace(ALL, words=tuple(words))
            calls = await store.calls(query)
            assert [call.session_id for call in calls] == [str(number) for number in found[::-1]], words
            assert (await store.totals(query)).calls == len(found), words

    async def test_words_are_searched_for_in_what_one_speaker_said(self, store: OpenStore) -> None:
        await _have_said(store)

        async def found(said_by: Any, *words: str) -> list[int]:
            query = replace(ALL, words=words, said_by=said_by)
            calls = await store.calls(query)
            assert (await store.totals(query)).calls == len(calls)
            points = await store.series(query, MINUTE, measures=("calls",))
            assert sum(point.totals.calls for point in points) == len(calls)
            return [int(call.session_id or -1) for call in calls]

        assert await found("user", "refund") == [0]
        assert await found("tool", "refund") == [1]
        assert await found("system", "refund") == []
        assert await found("assistant", "and") == [2]
        assert await found("user", "refund", "atlas") == [0]
        assert await found("tool", "refund", "sorry") == []
        assert await found(None, "refund", "sorry") == [1]
        assert await found("user", "ref*") == [0]

    async def test_words_are_a_condition_beside_others(self, store: OpenStore) -> None:
        await _have_said(store)
        query = replace(ALL, words=("refund",))
        assert [call.session_id for call in await store.calls(replace(query, model="m1"))] == ["1"]
        assert [call.session_id for call in await store.calls(replace(query, end=NOON + 1))] == ["0"]
        assert [call.session_id for call in await store.calls(replace(query, start=NOON + 1))] == ["1"]
        assert await store.calls(replace(query, session_id="3")) == []
        first, *rest = await store.calls(query, limit=1)
        assert not rest
        assert [call.session_id for call in await store.calls(query, before=first.id)] == ["0"]
        by_cost = await store.calls(query, order=Order("cost_nanousd", descending=False))
        assert [call.session_id for call in by_cost] == ["0", "1"]
        assert {group.key: group.totals.calls for group in await store.groups(query, "model")} == {
            "m0": 1,
            "m1": 1,
        }
        assert [session.id for session in await store.sessions(query)] == ["1", "0"]
        assert sum(point.totals.calls for point in await store.series(query, MINUTE)) == 2
        assert not await store.has_sums(query)

    async def test_it_says_what_can_be_searched(self, store: OpenStore) -> None:
        await _have_said(store)
        await store.add(Batch(calls=[make_call(timestamp=NOON + 2)]))
        searched = await store.searched(ALL)
        assert (searched.kept, searched.indexed) == (5, 5)
        searched = await store.searched(replace(ALL, end=NOON + 2, model="m1"))
        assert (searched.kept, searched.indexed) == (2, 2)

    async def test_without_texts_nothing_is_found(self, store: OpenStore) -> None:
        if not isinstance(store.sides.inner, UsesTexts):
            pytest.skip("this store is not made for search")
        await store.add(Batch(calls=_saying()))
        await _all_rolled_up(store)
        assert await store.calls(replace(ALL, words=("refund",))) == []
        searched = await store.searched(ALL)
        assert (searched.kept, searched.indexed) == (5, 0)

    async def test_words_go_with_the_content(self, store: OpenStore) -> None:
        await _have_said(store)
        await store.prune(NOON + 1, content_only=True)
        query = replace(ALL, words=("refund",))
        assert [call.session_id for call in await store.calls(query)] == ["1"]
        assert (await store.totals(ALL)).calls == 5
        await store.prune(NOON + 2)
        assert await store.calls(query) == []
        assert [call.session_id for call in await store.calls(replace(ALL, words=("brulee",)))] == ["2"]
        searched = await store.searched(ALL)
        assert (searched.kept, searched.indexed) == (3, 3)

    async def test_the_words_of_an_answer_that_came_later_are_found(self, store: OpenStore) -> None:
        _searchable(store)
        opened = make_call(
            response_id="r",
            usage=Usage(),
            cost=None,
            body=Body(request=_lines(("user", "where is it")), response=_lines(("assistant", "queued"))),
        )
        await store.add(Batch(calls=[opened]))
        await _all_rolled_up(store)
        answer = Body(request=b"", response=_lines(("assistant", "in the harbour")))
        end = replace(make_call(response_id="r", body=answer), completes=True)
        await store.add(Batch(calls=[end]))
        await _all_rolled_up(store)
        query = replace(ALL, words=("where", "harbour"))
        assert [call.id for call in await store.calls(query)] == [opened.id]

    async def test_a_call_whose_texts_cannot_be_read_keeps_no_other_from_being_found(
        self, store: OpenStore
    ) -> None:
        def texts(call: Call) -> Any:
            if call.session_id == "0":
                raise ValueError(call.id)
            return _texts(call)

        _searchable(store, texts)
        await store.add(Batch(calls=_saying()))
        await _all_rolled_up(store)
        assert [call.session_id for call in await store.calls(replace(ALL, words=("refund",)))] == ["1"]
        assert (await store.searched(ALL)).indexed == 5

    async def test_a_condition_on_spans_is_one_of_theirs(self, store: OpenStore) -> None:
        spans = [
            _span(n, status="error", error_type=f"e{n % 2}", user_id=f"u{n}" if n else None) for n in range(4)
        ]
        await store.add(Batch(spans=spans))

        async def found(*conditions: Condition) -> set[int]:
            failed = await store.failed_spans(replace(ALL, conditions=conditions))
            assert failed.number == len(failed.newest)
            return {int(span.id, 16) for span in failed.newest}

        kind = Condition(field="error_type", operator="not in", values=("e0",))
        assert await found(kind) == {1, 3}
        assert await found(Condition(field="user_id", operator="not in", values=("u1",)), kind) == {3}
        assert await found(Condition(field="user_id", operator="none")) == {0}
        assert await found(Condition(field="cost_nanousd", operator=">", values=(1,))) == {0, 1, 2, 3}

    async def test_a_series_sums_up_to_the_totals(self, store: OpenStore) -> None:
        await store.add(
            Batch(calls=[make_call(timestamp=NOON + i * MINUTE // 4, model=f"m{i % 3}") for i in range(40)])
        )
        points = await store.series(ALL, MINUTE, "model")
        assert sum(point.totals.calls for point in points) == 40
        assert sum(point.totals.cost_nanousd for point in points) == (await store.totals(ALL)).cost_nanousd
        assert [point.t for point in points] == sorted(point.t for point in points)
        assert {point.t for point in points} == {NOON + i * MINUTE for i in range(10)}
        assert {point.key for point in points} == {"m0", "m1", "m2"}
        few = await store.series(ALL, MINUTE, "model", measures=("cost_nanousd", "errors"))
        assert [(p.t, p.key, p.totals.cost_nanousd, p.totals.errors) for p in few] == [
            (p.t, p.key, p.totals.cost_nanousd, p.totals.errors) for p in points
        ]
        assert [point.totals.calls for point in await store.series(ALL, MINUTE)] == [4] * 10

    async def test_steps_may_begin_anywhere(self, store: OpenStore) -> None:
        hours = [0, 1, 5, 8, 9, 23, 24, 30, 31, 32, 33, 55, 56, 57, 80]
        calls = [
            make_call(timestamp=NOON + hour * 60 * MINUTE + 29 * MINUTE * (hour % 3), model=f"m{hour % 2}")
            for hour in hours
        ]
        await store.add(Batch(calls=calls))
        while await store.roll_up():
            pass
        day = 24 * 60 * MINUTE
        for offset in (0, 8 * 60, 5 * 60 + 30, 5 * 60 + 45, 23 * 60):
            for step in (day, 3 * 60 * MINUTE, 25 * 60 * MINUTE):
                expected: dict[tuple[int, str | None], int] = {}
                for call in calls:
                    begins = call.timestamp - (call.timestamp - offset * MINUTE) % step
                    expected[begins, call.model] = expected.get((begins, call.model), 0) + 1
                window = replace(ALL, start=NOON - day, end=NOON + 5 * day)
                points = await store.series(window, step, "model", None, offset * MINUTE)
                assert {(one.t, one.key): one.totals.calls for one in points} == expected
                assert [one.t for one in points] == sorted(one.t for one in points)
                timed: dict[int, int] = {}
                for t, _, number in await store.durations(window, step, "duration_ms", offset * MINUTE):
                    timed[t] = timed.get(t, 0) + number
                assert sum(timed.values()) == len(calls)
                assert set(timed) == {t for t, _ in expected}

    async def test_groups_come_most_expensive_first(self, store: OpenStore) -> None:
        await store.add(
            Batch(
                calls=[
                    *(make_call(model="cheap") for _ in range(3)),
                    make_call(model="dear", cost=Cost(cost_nanousd=9000, cost_source="x")),
                    make_call(model=None, cost=None),
                ]
            )
        )
        groups = await store.groups(ALL, "model")
        assert [(group.key, group.totals.calls) for group in groups] == [("dear", 1), ("cheap", 3), (None, 1)]

    async def test_groups_can_be_cut_short(self, store: OpenStore) -> None:
        await store.add(
            Batch(calls=[make_call(route=f"r{i}", model=None) for i in range(5) for _ in range(i)])
        )
        groups = await store.groups(ALL, "route", limit=2)
        assert [(group.key, group.totals.calls) for group in groups] == [("r4", 4), ("r3", 3)]
        assert await store.keys(ALL, "route", limit=3) == ["r4", "r3", "r2"]
        assert await store.keys(ALL, "model") == []

    async def test_errors_are_grouped_by_type(self, store: OpenStore) -> None:
        late = Outcome(status="error", error_type="timeout")
        full = Outcome(status="error", http_status=429, error_type="rate_limit")
        await store.add(
            Batch(calls=[make_call(), *(make_call(outcome=late) for _ in range(2)), make_call(outcome=full)])
        )
        query = replace(ALL, status="error")
        assert {g.key: g.totals.calls for g in await store.groups(query, "error_type")} == {
            "timeout": 2,
            "rate_limit": 1,
        }
        assert {g.key: g.totals.calls for g in await store.groups(ALL, "status")} == {
            "success": 1,
            "error": 3,
        }
        assert (await store.totals(replace(ALL, error_type="timeout"))).errors == 2

    async def test_a_query_may_name_a_prompt_and_its_version(self, store: OpenStore) -> None:
        calls = [
            make_call(
                timestamp=NOON + i * 10 * MINUTE,
                prompt_name=f"p{i % 2}" if i % 5 else None,
                prompt_hash=f"v{i // 8}" if i % 5 else None,
                route=f"r{i % 3}",
                cost=Cost(cost_nanousd=1000 << i, cost_source="test"),
            )
            for i in range(16)
        ]
        await store.add(Batch(calls=calls[:9]))
        while await store.roll_up():
            pass
        await store.add(Batch(calls=calls[9:]))
        for query in (
            replace(ALL, prompt_name="p0"),
            replace(ALL, prompt_name="p1", prompt_hash="v1"),
            replace(ALL, prompt_hash="v0", route="r1"),
            replace(ALL, prompt_name=""),
        ):
            meant = [
                call
                for call in calls
                if all(
                    getattr(query, name) in {None, getattr(call, name) or ""}
                    for name in ("prompt_name", "prompt_hash", "route")
                )
            ]
            assert meant
            assert await store.calls(query, 50) == meant[::-1]
            totals = await store.totals(query)
            assert totals.calls == len(meant)
            assert totals.cost_nanousd == sum(call.cost.cost_nanousd for call in meant if call.cost)
        ranked = await store.ranks(ALL, "prompt_name")
        assert (ranked.keys, ranked.whole) == ([None, "p0", "p1"], 3)
        groups = await store.groups(replace(ALL, prompt_name="p1"), "prompt_hash")
        assert [(group.key, group.totals.calls) for group in groups] == [("v1", 3), ("v0", 3)]

    async def test_versions_of_a_prompt_come_in_time_order(self, store: OpenStore) -> None:
        hour = 60 * MINUTE
        start = NOON // hour * hour
        at = [(0, "b", "1"), (1, "b", "1"), (1, "b", "2"), (2, "b", None), (2, "a", "1"), (3, None, "9")]
        calls = [
            make_call(timestamp=start + hours * hour + i, prompt_name=name, prompt_hash=version)
            for i, (hours, name, version) in enumerate(at)
        ]
        many = [
            make_call(timestamp=start, prompt_name="c", prompt_hash=f"{i}") for i in range(MOST_VERSIONS + 1)
        ]
        await store.add(Batch(calls=[*calls[:3], *many]))
        while await store.roll_up():
            pass
        await store.add(Batch(calls=calls[3:]))
        query = Query(start=start, end=start + 4 * hour)
        b, c = await store.versions(query, ["b", "unknown", "c"], hour)
        assert (b.name, b.number) == ("b", 3)
        assert list(b.points) == [
            (start, "1", 1),
            (start + hour, "1", 1),
            (start + hour, "2", 1),
            (start + 2 * hour, None, 1),
        ]
        assert (c.name, c.number, list(c.points)) == ("c", MOST_VERSIONS + 1, [])
        (early,) = await store.versions(replace(query, end=start + hour), ["b", "a"], hour)
        assert (early.number, list(early.points)) == (1, [(start, "1", 1)])
        assert await store.versions(query, [], hour) in ([], ())

    async def test_sessions_come_newest_first(self, store: OpenStore) -> None:
        await store.add(
            Batch(
                calls=[
                    make_call(timestamp=NOON + i, session_id=f"s{i % 3}", user_id=f"u{i % 3}")
                    for i in range(9)
                ]
                + [make_call()]
            )
        )
        found = await store.sessions(ALL, limit=2)
        assert [(s.id, s.user_id, s.first, s.last, s.totals.calls) for s in found] == [
            ("s2", "u2", NOON + 2, NOON + 8, 3),
            ("s1", "u1", NOON + 1, NOON + 7, 3),
        ]
        assert [s.id for s in await store.sessions(ALL, before=found[-1].last)] == ["s0"]
        assert len(await store.calls(replace(ALL, session_id="s1"))) == 3
        many = [make_call(timestamp=NOON + 60 * MINUTE + i // 700, session_id=f"t{i}") for i in range(2500)]
        await store.add(Batch(calls=many))
        assert len({s.id for s in await store.sessions(ALL, limit=2600)}) == 2503
        assert (await store.totals(replace(ALL, session_id="s1"))).calls == 3

    async def test_sessions_are_found_behind_many_calls_without_one(self, store: OpenStore) -> None:
        """Also where sums say in which hours the calls are, and a late call is in no sum yet."""
        hours = [
            make_call(timestamp=NOON - hour * 60 * MINUTE, session_id=f"h{hour}", model="small")
            for hour in (9, 2, 4)
        ]
        bare = [make_call(timestamp=NOON - 60 * MINUTE + i, model="small") for i in range(2600)]
        other = [make_call(timestamp=NOON - i * MINUTE, session_id=f"o{i}") for i in range(50)]
        await store.add(Batch(calls=hours + bare + other))
        while await store.roll_up():
            pass
        late = make_call(timestamp=NOON - 6 * 60 * MINUTE, session_id="late", model="small")
        await store.add(Batch(calls=[late]))
        query = replace(ALL, model="small")
        found = await store.sessions(query)
        assert [session.id for session in found] == ["h2", "h4", "late", "h9"]
        assert [session.id for session in await store.sessions(query, limit=3)] == ["h2", "h4", "late"]
        assert [session.id for session in await store.sessions(query, before=found[1].last)] == ["late", "h9"]

    async def test_spans_and_scores_are_read_back(self, store: OpenStore) -> None:
        spans = [
            Span(
                id=f"{i:016x}",
                trace_id="t" * 32,
                name="answer",
                timestamp=NOON + i,
                duration_ms=5,
                status="error",
                parent_id=None if i == 0 else f"{0:016x}",
                error_type="ValueError",
                error_message="no",
                service="shop",
                route="POST /chat",
                user_id="u",
                session_id="s",
                tags={"a": "b"},
            )
            for i in range(2)
        ]
        call = make_call(trace_id="t" * 32)
        of_call = Score(id=new_id(NOON), timestamp=NOON, name="thumb", value=1.0, call_id=call.id)
        of_trace = Score(
            id=new_id(NOON), timestamp=NOON, name="grade", value=-0.5, trace_id="t" * 32, comment="so so"
        )
        await store.add(Batch(calls=[call], spans=spans[::-1], scores=[of_call, of_trace]))
        await store.add(Batch(spans=spans, scores=[of_call]))
        assert await store.spans("t" * 32) == spans
        assert await store.spans("u" * 32) == []
        assert await store.scores(call_id=call.id) == [of_call]
        assert await store.scores(trace_id="t" * 32) == [of_trace]
        assert await store.calls(replace(ALL, trace_id="t" * 32)) == [call]

    async def test_spans_of_a_time_come_and_no_more_than_asked_for(self, store: OpenStore) -> None:
        spans = [_span(i, timestamp=NOON + 10 * i, duration_ms=25 if i == 3 else 5) for i in range(8)]
        await store.add(Batch(spans=spans))
        assert await store.spans("t" * 32, limit=3) == spans[:3]
        assert await store.spans("t" * 32, Extent(NOON + 50, NOON + 61)) == [spans[i] for i in (3, 5, 6)]
        assert await store.spans("u" * 32, Extent(0, 2**62)) == []

    async def test_a_span_is_read_whole_and_spans_without_what_may_be_long(self, store: OpenStore) -> None:
        span = _span(
            1,
            kind="execute_tool",
            input='{"order": "51882 日本"}',
            output='["late"]',
            status="error",
            error_stack='File "shop.py", line 1, in find\n    raise ValueError("' + "x" * 9_000,
        )
        await store.add(Batch(spans=[span, _span(2)]))
        assert await store.span("t" * 32, span.id) == span
        assert await store.span("u" * 32, span.id) is None
        assert await store.span("t" * 32, "0" * 16) is None
        short = replace(span, input=None, output=None, error_stack=None)
        assert await store.spans("t" * 32) == [short, _span(2)]
        assert (await store.failed_spans(ALL)).newest == [short]
        assert (await store.batch("spans")).spans == [span, _span(2)]

    async def test_tools_are_counted_where_they_were_asked_for_and_where_they_ran(
        self, store: OpenStore
    ) -> None:
        calls = [
            make_call(model="a", user_id="u", tools='["find", "find", "refund"]'),
            make_call(model="b", tools='["find"]'),
            make_call(model="b"),
        ]
        ran = [
            *(_span(i, name="find", kind="execute_tool", duration_ms=100 * i) for i in range(1, 5)),
            _span(5, name="refund", kind="execute_tool", status="error", error_type="E", user_id="u"),
            _span(6, name="find", kind="invoke_agent"),
            _span(7, name="find"),
        ]
        await store.add(Batch(calls=calls, spans=ran))
        found = await store.tools(ALL)
        assert [(one.name, one.times, one.models) for one in found.asked] == [
            ("find", 3, {"a": 2, "b": 1}),
            ("refund", 1, {"a": 1}),
        ]
        assert [(one.name, one.runs, one.errors, one.kinds, one.p50_ms, one.p95_ms) for one in found.ran] == [
            ("find", 4, 0, {}, 200, 400),
            ("refund", 1, 1, {"E": 1}, ran[4].duration_ms, ran[4].duration_ms),
        ]
        assert (found.asked_since, found.ran_since) == (None, None)
        assert sum(found.asked[0].over) == 3
        assert sum(found.ran[1].failed_over) == 1
        of_user = await store.tools(replace(ALL, user_id="u"))
        assert [(one.name, one.times) for one in of_user.asked] == [("find", 2), ("refund", 1)]
        assert [(one.name, one.runs) for one in of_user.ran] == [("refund", 1)]
        of_model = await store.tools(replace(ALL, model="b"))
        assert [(one.name, one.times) for one in of_model.asked] == [("find", 1)]
        others = (
            Condition(field="model", operator="not in", values=("a", "c")),
            Condition(field="tokens", operator="<", values=(10**9,)),
            Condition(field="user_id", operator="none"),
            Condition(field="tag", operator="none", name="team"),
            Condition(field="score", operator="none", name="helpful"),
        )
        of_others = await store.tools(replace(ALL, conditions=others))
        assert [(one.name, one.times) for one in of_others.asked] == [("find", 1)]
        assert [(one.name, one.runs) for one in of_others.ran] == [("find", 4)]
        raised = (Condition(field="error_type", operator="in", patterns=(("", "E"),)),)
        assert [one.name for one in (await store.tools(replace(ALL, conditions=raised))).ran] == ["refund"]
        of_one = await store.tools(
            replace(ALL, conditions=(Condition(field="tools", operator="in", patterns=(("ref", ""),)),))
        )
        assert [(one.name, one.times) for one in of_one.asked] == [("refund", 1)]
        assert [(one.name, one.runs) for one in of_one.ran] == [("refund", 1)]
        later = await store.tools(replace(ALL, start=NOON + 60 * MINUTE))
        assert (list(later.asked), list(later.ran)) == ([], [])

    async def test_of_many_tools_those_with_the_most_are_told(self, store: OpenStore) -> None:
        names = [f"t{number:03}" for number in range(502)]
        often = [*names, names[-1]]
        calls = [make_call(tools=dumps(often[at : at + 100])) for at in range(0, len(often), 100)]
        ran = [_span(i, name=name, kind="execute_tool", duration_ms=i) for i, name in enumerate(often)]
        await store.add(Batch(calls=calls, spans=ran))
        found = await store.tools(ALL)
        assert [(one.name, one.times) for one in found.asked] == [
            (name, 2 if name == names[-1] else 1) for name in (names[-1], *names[:499])
        ]
        assert [(one.name, one.runs, one.p95_ms) for one in found.ran] == [
            (names[-1], 2, 502),
            *((name, 1, i) for i, name in enumerate(names[:499])),
        ]

    async def test_a_run_that_was_made_out_from_the_conversation_is_marked_and_counts_once(
        self, store: OpenStore
    ) -> None:
        def ran(number: int, trace: str, at: int, **tags: str) -> Span:
            facts: dict[str, Any] = {"trace_id": trace * 32, "timestamp": at, "tags": tags or None}
            return _span(number, name="find", kind="execute_tool", duration_ms=100, **facts)

        group = new_id(NOON)
        runs = [
            ran(1, "a", NOON, **{RECOGNISED: group, UNTOLD: "yes"}),
            ran(2, "a", NOON + 1000, **{RECOGNISED: group}),
            ran(3, "a", NOON + 1040),  # what the program has recorded of that one itself
            ran(4, "b", NOON + 1040),
        ]
        await store.add(Batch(spans=runs))
        [found] = (await store.tools(ALL)).ran
        assert (found.runs, found.recognised, found.untold) == (3, 1, 1)
        assert [span.result_in for span in await store.spans("a" * 32)] == [group, group, None]

    async def test_failed_spans_are_those_of_a_session_or_a_trace_or_a_time(self, store: OpenStore) -> None:
        failed = [_span(i, status="error", error_type="E", user_id="u") for i in range(3)]
        other = _span(7, status="error", trace_id="x" * 32, timestamp=NOON + MINUTE)
        foreign = _span(8, status="error", session_id="another", trace_id="t" * 32)
        calls = [make_call(trace_id="t" * 32, session_id="s"), make_call(session_id="s")]
        await store.add(Batch(calls=calls, spans=[*failed, other, foreign, _span(9)]))
        found = await store.failed_spans(replace(ALL, trace_id="t" * 32))
        assert (found.number, found.newest) == (4, [foreign, *failed[::-1]])
        found = await store.failed_spans(replace(ALL, session_id="s"), limit=2)
        assert (found.number, found.newest) == (3, failed[:0:-1])
        found = await store.failed_spans(replace(ALL, start=NOON + 1))
        assert (found.number, found.newest) == (1, [other])
        assert (await store.failed_spans(replace(ALL, user_id="u", error_type="E"))).number == 3
        assert (await store.failed_spans(replace(ALL, session_id="nobody"))).number == 0

    async def test_a_session_lasts_as_long_as_its_calls_and_their_spans(self, store: OpenStore) -> None:
        calls = [
            make_call(timestamp=NOON, duration_ms=900_000, session_id="s"),
            make_call(timestamp=NOON + 50, duration_ms=10, session_id="s", trace_id="t" * 32),
            make_call(timestamp=NOON + 1_000_000, session_id="other", trace_id="x" * 32),
        ]
        span = _span(1, timestamp=NOON - 5, duration_ms=10)
        await store.add(Batch(calls=calls, spans=[span]))
        assert await store.extent(replace(ALL, session_id="s")) == Extent(NOON - 5, NOON + 900_000)
        assert await store.extent(replace(ALL, trace_id="t" * 32)) == Extent(NOON - 5, NOON + 60)
        assert await store.extent(replace(ALL, session_id="nobody")) is None

    async def test_a_call_can_be_given_another_price(self, store: OpenStore) -> None:
        calls = [make_call(timestamp=NOON + i) for i in range(3)]
        await store.add(Batch(calls=calls))
        before = await store.revision()
        new = Cost(cost_nanousd=7, cost_source="test", price_version="8")
        assert await store.reprice({calls[0].id: new, calls[1].id: None, "nobody": new}) == 2
        assert await store.revision() > before
        assert [call.cost for call in await store.calls(ALL)] == [calls[2].cost, None, new]
        totals = await store.totals(ALL)
        assert (totals.cost_nanousd, totals.unpriced) == (1007, 1)

    async def test_counters_are_by_model_provider_route_and_service(self, store: OpenStore) -> None:
        failed = Outcome(status="error", error_type="timeout")
        calls = [
            make_call(route="/a", service="shop", attempt=2, ttft_ms=40),
            make_call(route="/a", service="shop", duration_ms=900),
            make_call(route="/a", service="shop", outcome=failed, cost=None),
            make_call(model=None, provider=None, cost=None),
        ]
        await store.add(Batch(calls=calls))
        counters = await store.counters()
        ok, error, nameless = sorted(
            counters.sums, key=lambda one: (one.model is None, one.status != "success")
        )
        assert (ok.model, ok.provider, ok.route, ok.service, ok.error_type) == (
            *("m", "openai", "/a", "shop"),
            None,
        )
        assert (ok.totals.calls, ok.totals.retries, ok.totals.cost_nanousd) == (2, 1, 2000)
        assert (ok.totals.prompt_tokens, ok.totals.completion_tokens, ok.totals.cached_tokens) == (20, 10, 8)
        assert (error.status, error.error_type, error.totals.calls) == ("error", "timeout", 1)
        assert (nameless.model, nameless.provider, nameless.route, nameless.service) == (None,) * 4
        assert nameless.totals.unpriced == 1
        times = {(one.model, one.of): one.counts for one in counters.times}
        assert times.keys() == {("m", "duration_ms"), ("m", "ttft_ms"), (None, "duration_ms")}
        quick, slow = times["m", "duration_ms"]
        assert (quick[1], slow[1]) == (1, 1)  # not the one that failed
        assert _near(quick[0], 100)
        assert _near(slow[0], 900)
        assert _near(times["m", "ttft_ms"][0][0], 40)

    async def test_counters_never_become_less(self, store: OpenStore) -> None:
        receipt = Usage(usage_source="none")
        days = [NOON + day * 86_400_000 for day in range(4)]
        calls = [make_call(timestamp=moment + i) for moment in days for i in range(3)]
        opened = make_call(timestamp=days[-1] + 9, response_id="resp_1", usage=receipt, duration_ms=1)
        await store.add(Batch(calls=[*calls, opened]))
        while await store.roll_up():
            pass
        before = await store.counters()
        costs = {
            call.id: None if i % 2 else Cost(cost_nanousd=1, cost_source="x") for i, call in enumerate(calls)
        }
        end = replace(opened, id=new_id(NOON), completes=True, duration_ms=70_000, model="longer")
        changes: Sequence[Callable[[], Awaitable[object]]] = (
            lambda: store.reprice(costs),
            lambda: store.add(Batch(calls=[end])),
            lambda: store.prune(days[1] + 1),
            lambda: store.prune(days[3] + 1),
            store.roll_up,
            lambda: store.prune(days[3] + 86_400_000),
        )
        for change in changes:
            await change()
            after = await store.counters()
            assert_none_less(before, after)
            before = after
        assert sum(one.totals.calls for one in after.sums) == 14  # one of them was begun as another model
        assert (await store.totals(ALL)).calls == 0
        await store.add(Batch(calls=[make_call()]))
        assert sum(one.totals.calls for one in (await store.counters()).sums) == 15

    async def test_markers_are_read_back_the_newest_first(self, store: OpenStore) -> None:
        deploy = Marker(id=new_id(NOON), timestamp=NOON, name="deploy 1.4", service="api", tags={"by": "ci"})
        release = Marker(id="release-a", timestamp=NOON + 5, name="1.4 🎉\0", kind="release")
        fired = Marker(id="alert-a-1", timestamp=NOON + 5, name="Refunds fail", kind="firing")
        await store.add(Batch(markers=[deploy, release, fired]))
        kept = replace(release, name="1.4 🎉\ufffd")
        assert list(await store.markers(0, NOON + 6)) == [kept, fired, deploy]
        assert list(await store.markers(0, NOON + 5)) == [deploy]
        assert list(await store.markers(NOON + 1, NOON + 6, limit=1)) == [kept]
        assert list(await store.markers(0, NOON + 6, kinds=["mark", "firing"])) == [fired, deploy]
        assert list(await store.markers(0, NOON + 6, kinds=[])) == []
        assert list(await store.markers(0, NOON + 6, name="deploy 1.4")) == [deploy]
        assert list(await store.markers(0, NOON + 6, id="release-a")) == [kept]
        assert list(await store.markers(0, NOON + 6, name="1.4", id="release-a")) == []

    async def test_the_first_marker_of_an_id_is_kept(self, store: OpenStore) -> None:
        """Processes mark the first call of a release each, and only one of them tells of an alert."""
        before = await store.revision()
        for name, at in (("first", NOON + 9), ("second", NOON), ("third", NOON + 40 * 86_400_000)):
            await store.add(Batch(markers=[Marker(id="one", timestamp=at, name=name, kind="release")]))
        assert [marker.name for marker in await store.markers(0, 2**62)] == ["first"]
        assert list(await store.places("markers")) == [(NOON + 9, "one")]
        assert await store.revision() != before

    async def test_markers_are_pruned_with_the_calls_of_their_time(self, store: OpenStore) -> None:
        markers = [Marker(id=f"m{i}", timestamp=NOON + i, name=f"{i}") for i in range(6)]
        await store.add(Batch(calls=[make_call(timestamp=NOON)], markers=markers))
        await store.prune(NOON + 4, content_only=True)
        assert len(await store.markers(0, 2**62)) == 6
        await store.prune(NOON + 4)
        assert [marker.name for marker in await store.markers(0, 2**62)] == ["5", "4"]

    async def test_scores_have_a_mean_by_name(self, store: OpenStore) -> None:
        scores = [
            Score(id=new_id(NOON + i), timestamp=NOON + i, name=name, value=value)
            for i, (name, value) in enumerate((("a", 1), ("a", 0), ("b", 0.25), ("a", 0.5), ("late", 7)))
        ]
        await store.add(Batch(scores=scores))
        await store.add(Batch(scores=scores))
        found = await store.rated(NOON, NOON + 4)
        assert list(found) == ["a", "b"]
        assert (found["a"].number, found["a"].mean) == (3, 0.5)
        assert found["b"].mean == 0.25
        assert list(await store.rated(0, NOON + 9, name="late")) == ["late"]
        assert await store.rated(0, NOON, name="a") == {}

    async def test_everything_comes_back_in_order_a_few_at_a_time(self, store: OpenStore) -> None:
        body = Body(request=b"a" * 3000, response=None)
        calls = [
            make_call(timestamp=NOON + (i % 5) * 86_400_000, body=body if i % 3 else None, tags={"n": str(i)})
            for i in range(23)
        ]
        spans = [_span(i, timestamp=NOON + i // 2) for i in range(7)]
        scores = [Score(id=new_id(NOON), timestamp=NOON, name="n", value=i) for i in range(7)]
        markers = [Marker(id=f"m{i}", timestamp=NOON + i // 3, name="n") for i in range(7)]
        await store.add(Batch(calls=calls, spans=spans, scores=scores, markers=markers))
        kinds: Mapping[Kind, Sequence[Call | Span | Score | Marker]] = {
            "calls": calls,
            "spans": spans,
            "scores": scores,
            "markers": markers,
        }
        for kind, added in kinds.items():
            expected = sorted(added, key=lambda one: (one.timestamp, one.id))
            found: list[Any] = []
            places: list[Place] = []
            while some := getattr(await store.batch(kind, places[-1] if places else None, 4), kind):
                assert len(some) <= 4
                found += some
                places += await store.places(kind, places[-1] if places else None, len(some))
            assert found == expected
            assert places == [(one.timestamp, one.id) for one in expected]
            assert await store.places(kind, places[-1]) == []
            assert list(await store.places(kind)) == places

    async def test_content_can_go_before_its_call(self, store: OpenStore) -> None:
        body = Body(request=b"a", response=b"b")
        calls = [make_call(timestamp=NOON + i, body=body) for i in range(5)]
        await store.add(Batch(calls=calls))
        assert await store.prune(NOON + 3, content_only=True, limit=2) == 2
        assert await store.prune(NOON + 3, content_only=True) == 1
        assert (await store.totals(ALL)).calls == 5
        assert await store.call(calls[0].id) == replace(calls[0], body=None)
        assert await store.call(calls[3].id) == calls[3]

    async def test_percentiles_are_of_successful_calls(self, store: OpenStore) -> None:
        slow = [make_call(duration_ms=ms, ttft_ms=ms // 2) for ms in range(1, 101)]
        await store.add(
            Batch(calls=[*slow, make_call(duration_ms=10**6, outcome=Outcome(status="cancelled"))])
        )
        latency = await store.latency(ALL)
        assert _near(latency.p50_ms, 50)
        assert _near(latency.p95_ms, 95)
        assert _near(latency.ttft_p50_ms, 25)
        assert (await store.groups(ALL, "model"))[0].latency == latency
        counted = await store.durations(ALL, MINUTE)
        assert sum(n for _, _, n in counted) == 100

    async def test_nobody_waits_for_what_is_asked_in_a_batch(self, store: OpenStore) -> None:
        """It is in no percentile, before its sums are kept and after."""
        await store.add(
            Batch(
                calls=[
                    make_call(duration_ms=100),
                    *(make_call(duration_ms=0, service_tier="batch", cost=None) for _ in range(9)),
                ]
            )
        )
        for _ in range(2):
            assert (await store.totals(ALL)).calls == 10
            assert _near((await store.latency(ALL)).p50_ms, 100)
            assert sum(n for _, _, n in await store.durations(ALL, MINUTE)) == 1
            (group,) = await store.groups(ALL, "model")
            assert _near(group.latency.p50_ms, 100)
            while await store.roll_up():
                pass
        times = [timed for timed in (await store.counters()).times if timed.of == "duration_ms"]
        assert sum(calls for timed in times for _, calls in timed.counts) == 1

    async def test_pages_of_calls_follow_each_other(self, store: OpenStore) -> None:
        calls = [make_call(timestamp=NOON + i) for i in range(25)]
        await store.add(Batch(calls=calls))
        seen: list[Call] = []
        page: Sequence[Call] = await store.calls(ALL, limit=10)
        while page:
            seen += page
            page = await store.calls(ALL, limit=10, before=page[-1].id)
        assert seen == calls[::-1]

    async def test_old_calls_are_forgotten_with_their_bodies(self, store: OpenStore) -> None:
        body = Body(request=b"a", response=b"b")
        calls = [make_call(timestamp=NOON + i, body=body) for i in range(10)]
        await store.add(Batch(calls=calls))
        assert await store.prune(NOON + 4) == 4
        assert await store.call(calls[3].id) is None
        assert await store.call(calls[4].id) == calls[4]
        assert await store.prune(NOON + 4) == 0

    async def test_values_come_in_many_orders(self, store: OpenStore) -> None:
        """Before their sums are kept, and after."""
        day = 86_400_000
        await store.add(Batch(calls=_spenders(day)))
        now, then = Query(start=NOON, end=NOON + day), (NOON - day, NOON)
        orders: Sequence[tuple[RankOrder, Sequence[str | None]]] = (
            (RankOrder(), ("Ada", "bob", None, "cleo", "Dan")),
            (RankOrder(descending=False), ("Dan", "cleo", None, "bob", "Ada")),
            (RankOrder(by="calls"), ("cleo", "bob", "Ada", None, "Dan")),
            (RankOrder(by="each"), ("Ada", None, "bob", "Dan", "cleo")),
            (RankOrder(by="each", against=then), ("Ada", None, "bob", "Dan", "cleo", "eve")),
            (RankOrder(by="key", descending=False), (None, "Ada", "Dan", "bob", "cleo")),
            (RankOrder(by="moved", against=then), ("Ada", "eve", None, "cleo", "Dan", "bob")),
            (RankOrder(only_new=True, against=then), ("Ada", "Dan")),
            (RankOrder(by="errors"), ("bob", "Ada", None, "cleo", "Dan")),
            (RankOrder(by="errors", descending=False), ("Ada", None, "cleo", "Dan", "bob")),
            (RankOrder(by="errors", against=then, matching="B"), ("bob",)),
            (RankOrder(by="last"), ("cleo", "bob", "Ada", None, "Dan")),
            (
                RankOrder(by="last", descending=False, against=then),
                ("eve", None, "Dan", "Ada", "bob", "cleo"),
            ),
            (RankOrder(errors=_with_errors(">", 0)), ("bob",)),
            (RankOrder(errors=_with_errors("in", 0)), ("Ada", None, "cleo", "Dan")),
            (
                RankOrder(errors=_with_errors(">=", 1) + _with_errors("<", 2), by="calls", against=then),
                ("bob",),
            ),
            (RankOrder(errors=_with_errors(">", 1)), ()),
            (RankOrder(errors=_with_errors("not in", 1), matching="a"), ("Ada", "Dan")),
            (RankOrder(matching="A"), ("Ada", "Dan")),
            (RankOrder(matching="%"), ()),
            (RankOrder(by="moved", against=then, matching="E"), ("eve", "cleo")),
        )
        for _ in range(2):
            for order, keys in orders:
                ranks = await store.ranks(now, "user_id", order=order)
                assert (tuple(ranks.keys), ranks.whole) == (keys, len(keys)), order
                ranks = await store.ranks(now, "user_id", 2, 1, order=order)
                assert (tuple(ranks.keys), ranks.whole) == (keys[1:3], len(keys)), order
            failed = await store.ranks(replace(now, status="error"), "user_id", order=RankOrder(by="calls"))
            assert tuple(failed.keys) == ("bob",)
            well = await store.ranks(replace(now, status="success"), "user_id", order=RankOrder(by="errors"))
            assert tuple(well.keys) == ("Ada", "bob", None, "cleo", "Dan")
            while await store.roll_up():
                pass
        for order in (
            RankOrder(by="moved"),
            RankOrder(only_new=True),
            RankOrder(by="1; --"),  # type: ignore[arg-type] # not possible
            RankOrder(errors=_with_errors("any", 0)),
            RankOrder(errors=(Condition(field="errors", operator=">"),)),
        ):
            with pytest.raises(ValueError, match=r"against another time|choose one of|with one number"):
                await store.ranks(now, "user_id", order=order)

    async def test_calls_are_told_apart_by_a_tag(self, store: OpenStore) -> None:
        """Those without it are one kind, so that the sums fit; before sums by it are kept, and after."""
        day = 86_400_000
        await store.add(Batch(calls=_spenders(day)))
        whole, by = Query(start=NOON - day, end=NOON + day), ByTag("team")
        for _ in range(2):
            groups = {group.key: group for group in await store.groups(whole, by)}
            assert [(key, group.totals.calls) for key, group in groups.items()] == [
                (None, 5),
                ("x", 8),
                ("y", 3),
            ]
            totals = await store.totals(whole)
            for name in ("cost_nanousd", "errors", "prompt_tokens"):
                assert sum(getattr(one.totals, name) for one in groups.values()) == getattr(totals, name)
            assert groups["x"].totals.errors == 1
            assert _near(groups["x"].latency.p95_ms, 100)
            (only,) = await store.groups(whole, by, None, ["y"])
            assert only == groups["y"]
            assert (await store.groups(whole, by, None, [None]))[0].totals == groups[None].totals
            assert tuple((await store.ranks(whole, by)).keys) == (None, "x", "y")
            assert await store.keys(whole, by) == ["x", "y"]
            ranks = await store.ranks(whole, by, order=RankOrder(by="calls", descending=False, matching="Y"))
            assert (tuple(ranks.keys), ranks.whole) == (("y",), 1)
            points = await store.series(whole, day, by, offset_ms=NOON % day)
            assert {(point.t, point.key): point.totals.calls for point in points} == {
                (NOON - day, None): 1,
                (NOON - day, "x"): 3,
                (NOON, None): 4,
                (NOON, "x"): 5,
                (NOON, "y"): 3,
            }
            of_model = {
                one.key: one.totals.calls for one in await store.groups(replace(whole, model="m"), by)
            }
            assert of_model == {"x": 8, None: 5, "y": 3}
            of_user = {
                one.key: one.totals.calls for one in await store.groups(replace(whole, user_id="bob"), by)
            }
            assert of_user == {"x": 4}
            assert not await store.groups(replace(whole, user_id="nobody"), by)
            timed = await store.latencies(whole, by, ["y", "x"])
            assert {key: one.p95_ms is not None for key, one in timed.items()} == {"y": True, "x": True}
            while await store.roll_up():
                pass

    async def test_the_calls_of_some_users_are_timed(self, store: OpenStore) -> None:
        calls = [
            make_call(user_id=user, duration_ms=ms, ttft_ms=ms // 2)
            for user, slow in (("quick", 1), ("slow", 50), (None, 3))
            for ms in range(10 * slow, 20 * slow)
        ]
        await store.add(Batch(calls=calls))
        for _ in range(2):
            timed = await store.latencies(ALL, "user_id", ["slow", None, "nobody"])
            assert list(timed) == ["slow", None, "nobody"]
            assert _near(timed["slow"].p95_ms, 974)
            assert _near(timed[None].p50_ms, 44)
            assert timed["nobody"].p95_ms is None
            of_models = await store.latencies(ALL, "model", ["m"])
            assert of_models == {"m": await store.latency(ALL)}
            while await store.roll_up():
                pass

    async def test_a_user_and_a_session_are_forgotten_with_all_that_is_theirs(self, store: OpenStore) -> None:
        body, hour = Body(request=b"asked", response=b"said"), 3_600_000
        who = (("ada", "a", "1" * 32), ("ada", "b", "2" * 32), ("bob", "c", "2" * 32), (None, "d", "3" * 32))
        calls = [
            make_call(
                timestamp=NOON - number * hour,
                user_id=user,
                session_id=session,
                trace_id=trace,
                body=body,
                tags={"team": "x"},
                cost=Cost(cost_nanousd=10**number, cost_source="test"),
            )
            for user, session, trace in who
            for number in range(6)
        ]
        spans = [_span(number, trace_id=str(number) * 32) for number in (1, 2, 3)]
        spans += [_span(4, trace_id="4" * 32, user_id="ada"), _span(5, trace_id="2" * 32, user_id="ada")]
        spans += [_span(6, trace_id="6" * 32, session_id="d"), _span(7, trace_id="7" * 32, user_id="bob")]
        scores = [
            Score(id=new_id(NOON + number), timestamp=NOON, name="n", value=number, **about)
            for number, about in enumerate(
                [
                    *({"trace_id": str(trace) * 32} for trace in (1, 2, 3, 4, 7)),
                    *({"call_id": calls[place].id} for place in (0, 6, 12, 18)),
                ]
            )
        ]
        await store.add(Batch(calls=calls, spans=spans, scores=scores))
        await store.add(Batch(calls=[make_call(timestamp=NOON + 2 * hour, user_id="bob")]))
        while await store.roll_up():
            pass
        before = await store.counters()
        whose = Whose(users=("ada", "nobody"), sessions=("d",))
        gone = await store.forget(whose, 4)
        while some := await store.forget(whose, 4):
            gone += some
        assert (gone.calls, gone.bodies, gone.spans, gone.scores) == (18, 18, 5, 6)
        left = calls[12:18]
        assert {call.id for call in await store.calls(ALL) if call.timestamp <= NOON} == {
            call.id for call in left
        }
        assert [await store.call(call.id) for call in calls[:12]] == [None] * 12
        assert await store.call(left[0].id) == left[0]
        for query in (ALL, replace(ALL, user_id="bob"), replace(ALL, end=NOON + 1)):
            totals = await store.totals(query)
            assert (totals.calls, totals.cost_nanousd) == (
                6 + (query.end > NOON + 1),
                111_111 + 1000 * (query.end > NOON + 1),
            )
        assert (await store.totals(replace(ALL, user_id="ada"))).calls == 0
        assert [group.key for group in await store.groups(ALL, "user_id")] == ["bob"]
        assert await store.keys(ALL, "user_id") == ["bob"]
        assert [span.id[-1] for span in (await store.batch("spans")).spans] == ["2", "7"]
        assert {score.value for score in (await store.batch("scores")).scores} == {1, 4, 7}
        assert_none_less(before, await store.counters())
        assert not await store.forget(whose)
        again = make_call(timestamp=NOON + hour, user_id="ada")
        await store.add(Batch(calls=[again]))
        assert (await store.totals(replace(ALL, user_id="ada"))).calls == 1
        assert await store.call(again.id) == again


def _with_errors(operator: Operator, number: int) -> tuple[Condition, ...]:
    return (Condition(field="errors", operator=operator, values=(number,)),)


def _spenders(day: int) -> list[Call]:
    """Calls of a few users on the day before ``NOON`` and on the day after."""
    facts: Sequence[tuple[str | None, int, int, int, str | None]] = (
        # whose, how many calls, what each costs, the day, and the team
        ("Ada", 2, 50_000, 0, None),
        ("bob", 3, 10_000, 0, "x"),
        ("bob", 1, 30_000, -1, "x"),
        ("cleo", 5, 2_000, 0, "x"),
        ("Dan", 1, 9_000, 0, None),
        (None, 1, 20_000, 0, None),
        ("eve", 1, 60_000, -1, "x"),
        ("cleo", 1, 1, -1, None),
        (None, 1, 5_000, -1, "x"),
    )
    failed = Outcome(status="error", http_status=500, error_type="server_error")
    return [
        make_call(
            timestamp=NOON + 1000 * number + date * day,
            user_id=user,
            cost=Cost(cost_nanousd=cost, cost_source="test"),
            tags={"team": "y" if user == "cleo" and number > 1 else team, "n": "1"} if team else None,
            outcome=failed
            if user == "bob" and not number and not date
            else Outcome(status="success", http_status=200),
        )
        for user, calls, cost, date, team in facts
        for number in range(calls)
    ]


def assert_none_less(before: Counted, after: Counted) -> None:
    """Assert that all that was counted before still is."""
    then, now = _numbers(before), _numbers(after)
    assert {key: (number, now.get(key, 0)) for key, number in then.items() if number > now.get(key, 0)} == {}


def _numbers(counters: Counted) -> dict[tuple[object, ...], int]:
    keys = ("model", "provider", "route", "service")
    sums = {
        (*(getattr(one, key) for key in keys), one.status, one.error_type, field.name): getattr(
            one.totals, field.name
        )
        for one in counters.sums
        for field in fields(Totals)
    }
    times = {
        (*(getattr(one, key) for key in keys), one.of, ms): calls
        for one in counters.times
        for ms, calls in one.counts
    }
    return {**sums, **times}


def _near(value: int | None, expected: int) -> bool:
    """Within two percent: a store may keep histograms."""
    return value is not None and abs(value - expected) <= max(1, expected * 0.02)
