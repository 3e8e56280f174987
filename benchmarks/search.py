"""Search in what was said: what the index adds to a call, and what a search takes, SQLite beside PostgreSQL.

    python -m benchmarks.search [--quick] [--calls NUMBER] [--only sqlite|postgres]

Calls have conversations of one to four turns in English, Chinese and Hebrew, of words drawn at random from
some three thousand: harder for an index, and for a compressor, than what people write. Nine of ten kept
their content. Processor time is this process's; for PostgreSQL the server's as well. ``found`` stops at
``FOUND``.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.postgres import server_cpu
from miharu.batch import Batch
from miharu.call import Body, Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.routes import respond
from miharu.providers.bodies.texts import texts_in
from miharu.stores.base import Query
from miharu.stores.postgres import PostgresStore
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.words import Role
from miharu.testing.open_store import OpenStore, both
from tests.stores.postgres.server import Server

END = 1_800_000_000_000
BATCH, RUNS = 500, 3
_COMMON = [
    "the",
    "customer",
    "asked",
    "where",
    "order",
    "parcel",
    "atlas",
    "book",
    "refund",
    "arrives",
    "today",
    "colleague",
    "voucher",
    "policy",
    "amount",
    "thirty",
    "days",
    "promise",
    "never",
    "before",
    "answered",
    "delivery",
    "address",
    "payment",
    "rejected",
    "line",
    "could",
    "not",
    "read",
    "corner",
    "bent",
    "keep",
    "part",
    "of",
    "it",
    "please",
    "thank",
    "you",
]
_SYLLABLES = [
    a + b
    for a in ["ka", "lo", "mi", "ne", "ru", "ta", "vo", "ze"]
    for b in ["dan", "mer", "tol", "vik", "sun", "bel", "gar"]
]
_SELDOM = [a + b for a in _SYLLABLES for b in _SYLLABLES]
_HAN = "我要退款失败订单包裹今天到达请问客服政策金额付款地址东京"
_HEBREW = ["אפשר", "לקבל", "החזר", "הזמנה", "חבילה", "היום", "בבקשה", "תודה"]
ASKED: dict[str, tuple[str, ...]] = {
    "in every call": ("refund",),
    "frequent": ("voucher",),
    "rare": ("zanzibar",),
    "nowhere": ("xyzzy",),
    "phrase, rare": ("could not read the amount zanzibar",),
    "phrase, frequent words": ("refund promise",),
    "a frequent and a rare word": ("voucher", "zanzibar"),
    "Chinese": ("退款",),
    "Chinese, one sign": ("退",),
    "Hebrew": ("החזר",),
    "beginning of a word": ("zanz*",),
}


def _text(some: random.Random, words: int) -> str:
    kind = some.random()
    if kind < 0.75:
        return " ".join(some.choices(_COMMON, k=words // 2) + some.choices(_SELDOM, k=words // 2))
    if kind < 0.9:
        return "".join(some.choices(_HAN, k=words * 2))
    return " ".join(some.choices(_HEBREW, k=words))


def conversations(number: int, seed: int = 4) -> Iterator[Call]:
    """Calls of a day, the oldest first."""
    some = random.Random(seed)
    for place in range(number):
        at = END - (number - place) * 86_000_000 // number
        said = [("system", "You answer for a book shop. Never promise a refund before payments.refund did.")]
        for _ in range(some.randint(1, 4)):
            said += [("user", _text(some, 30)), ("assistant", _text(some, 60))]
        said.append(("user", _text(some, 25)))
        answer = _text(some, 80) + (" could not read the amount zanzibar" if place % 9973 == 5 else "")
        messages = [{"role": role, "content": text} for role, text in said]
        choice = {"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        body = Body(
            request=json.dumps({"model": "gpt-6.1-sol", "messages": messages}, ensure_ascii=False).encode(),
            response=json.dumps({"choices": [choice]}, ensure_ascii=False).encode(),
        )
        yield Call(
            id=new_id(at),
            timestamp=at,
            api="openai.chat",
            provider="openai",
            model="gpt-6.1-sol",
            route="POST /chat/{thread_id}",
            user_id=f"u_{place % 500}",
            duration_ms=some.randint(300, 9000),
            outcome=Outcome(status="success", http_status=200),
            usage=Usage(prompt_tokens=900, completion_tokens=120, usage_source="provider"),
            cost=Cost(cost_nanousd=3_000_000, cost_source="benchmark"),
            body=body if place % 10 else None,
        )


def _texts(call: Call) -> Sequence[tuple[Role, str]]:
    return [(one.role, one.text) for one in texts_in(call)]


def _cpu(server: Server | None) -> float:
    return time.process_time() + (server_cpu(server) if server is not None else 0.0)


async def _measured(
    name: str,
    store: OpenStore,
    number: int,
    server: Server | None,
    analyze: Callable[[], Awaitable[object]] | None = None,
) -> None:
    await store.open()
    calls = list(conversations(number))
    kept = sum(call.body is not None for call in calls)
    begun = _cpu(server)
    for start in range(0, number, BATCH):
        await store.add(Batch(calls=calls[start : start + BATCH]))
    while await store.roll_up():
        pass
    stored, before = _cpu(server) - begun, await store.size() or 0
    said = sum(len(text) for call in calls[:1000] if call.body for _, text in _texts(call))
    print(f"{name}: {number:,} calls, {kept:,} with content, about {said / 900:,.0f} characters each")
    print(f"  without the index {before / number:8,.0f} bytes a call {stored / number * 1e6:8,.0f} µs a call")
    store.use_texts(_texts)
    begun = _cpu(server)
    await store.add(Batch(calls=[replace(calls[-1], id=new_id(END), timestamp=END)]))
    while await store.roll_up():
        pass
    taken, after = _cpu(server) - begun, await store.size() or 0
    added = (after - before) / kept
    print(f"  the index adds    {added:8,.0f} bytes a call {taken / kept * 1e6:8,.0f} µs a call")
    if analyze is not None:
        await analyze()  # as the server does by itself after a minute
    query = Query(start=END - 86_400_000, end=END)
    site = Site(store=store, database=name, access="", losses=lambda: 0, clock=lambda: END)
    print(f"  {'search':28}{'found':>8}{'list':>10}{'sum':>10}{'page':>10}   ms of processor, best of {RUNS}")
    for what, words in ASKED.items():
        asked = replace(query, words=words)
        listed = await _best(partial(store.calls, asked, 21), server)
        summed = await _best(partial(store.totals, asked), server)
        q = " ".join(f'"{word}"' if not word.endswith("*") else word for word in words)
        request = PageRequest(path="calls", params={"q": q})
        page = await _best(partial(respond, request, site), server)
        found = (await store.totals(asked)).calls
        print(f"  {what:28}{found:8,}{listed:10.1f}{summed:10.1f}{page:10.1f}")
    await store.close()


async def _best(ask: Callable[[], Awaitable[object]], server: Server | None) -> float:
    """The least milliseconds of processor."""
    times = []
    for _ in range(RUNS):
        begun = _cpu(server)
        await ask()
        times.append(_cpu(server) - begun)
    return 1000 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5,000 calls")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    given = parser.parse_args()
    number = 5_000 if given.quick else given.calls
    with tempfile.TemporaryDirectory() as folder:
        if given.only != "postgres":
            path = Path(folder) / "calls.db"
            store = both(SQLiteStore(f"sqlite+aiosqlite:///{path}", clock=lambda: END))
            asyncio.run(_measured("SQLite", store, number, None))
        if given.only != "sqlite":
            server = Server("fsync=on")
            try:
                asyncio.run(_postgres(server, number))
            finally:
                server.remove()


async def _postgres(server: Server, number: int) -> None:
    name = await server.new_database()
    store = both(PostgresStore(server.url(name), clock=lambda: END))
    await _measured("PostgreSQL", store, number, server, partial(server.query, name, "VACUUM ANALYZE"))


if __name__ == "__main__":
    main()
