"""Replays, changes by several at once, and inserts whose answer is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from miharu.batch import Batch
from miharu.call import Body, Cost, Usage
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.clickhouse.tables.schema import TYPES
from miharu.stores.clickhouse.writing import adding
from miharu.stores.clickhouse.writing.changing import _newest, _write
from miharu.stores.columns import CALLS
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.clickhouse.server import Server


async def raw_rows(clickhouse: Server, database: str) -> int:
    [[rows]] = clickhouse.query(database, "SELECT toInt64(count()) FROM llm_calls")
    assert isinstance(rows, int)
    return rows


async def test_a_batch_that_comes_again_adds_nothing(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    calls = [make_call(timestamp=NOON + n, body=Body(request=b"a", response=b"b")) for n in range(50)]
    assert await store.add(Batch(calls=calls)) == 50
    assert await store.add(Batch(calls=calls[::-1])) == 0
    assert await store.add(Batch(calls=[*calls[:20], make_call(), make_call()])) == 2
    assert await store.add(Batch(calls=[calls[0], calls[0]])) == 0
    twice = make_call()
    assert await store.add(Batch(calls=[twice, twice])) == 1
    assert await raw_rows(clickhouse, database) == 53


async def test_a_large_batch_is_kept_whole_and_once(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    """A driver sends many rows in several blocks, and of these a server may keep one by the token."""
    calls = [make_call(timestamp=NOON + n, user_id=f"u{n}") for n in range(9_000)]
    assert await store.add(Batch(calls=calls)) == 9_000
    assert await raw_rows(clickhouse, database) == 9_000
    assert await store.add(Batch(calls=calls)) == 0
    assert (await store.totals(ALL)).calls == 9_000


async def test_an_insert_whose_answer_was_lost_is_dropped_by_its_token(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    """As where the same rows are on their way twice, and neither finds those of the other."""
    rows = [adding.first_row(make_call(timestamp=NOON + n)) for n in range(5)]
    for _ in range(2):
        store.sides.questions.database.insert("llm_calls", TYPES["llm_calls"], rows, token="one")
    assert await raw_rows(clickhouse, database) == 5
    totals = await store.totals(ALL)
    assert (totals.calls, totals.cost_nanousd) == (5, 5000)
    assert sum(n for _, _, n in await store.durations(ALL, 60_000)) == 5
    counted = await store.counters()
    assert [one.totals.calls for one in counted.sums] == [5]
    assert [sum(calls for _, calls in one.counts) for one in counted.times] == [5]


async def test_two_that_change_a_call_at_once_change_it_once(store: OpenStore) -> None:
    opened = make_call(response_id="resp", usage=Usage(), cost=None)
    await store.add(Batch(calls=[opened]))
    database = store.sides.questions.database
    [row] = _newest(database, "1")  # both have read it before either writes
    for cost in (7, 9):
        _write(database, [(row, {CALLS.index("cost_nanousd"): cost, CALLS.index("cost_source"): "x"})])
    totals = await store.totals(ALL)
    assert (totals.calls, totals.cost_nanousd) == (1, 7)
    call = await store.call(opened.id)
    assert call is not None
    assert call.cost == Cost(cost_nanousd=7, cost_source="x")


async def test_a_price_may_change_often_and_old_ones_are_nowhere(
    store: OpenStore, clickhouse: Server, database: str
) -> None:
    calls = [make_call(timestamp=NOON + n * 3_600_000, model=f"m{n % 2}") for n in range(6)]
    await store.add(Batch(calls=calls))
    for price in (5, 50, 500):
        costs = {call.id: Cost(cost_nanousd=price, cost_source="new") for call in calls}
        assert await store.reprice(costs) == 6
        assert await store.reprice(costs) == 6  # and writes nothing
        assert (await store.totals(ALL)).cost_nanousd == 6 * price
        assert [g.totals.cost_nanousd for g in await store.groups(ALL, "model")] == [3 * price] * 2
        assert [call.cost for call in await store.calls(ALL)] == [costs[calls[0].id]] * 6
    assert await raw_rows(clickhouse, database) == 6 + 3 * 12
    clickhouse.query(database, "OPTIMIZE TABLE llm_calls FINAL")
    assert (await store.totals(ALL)).cost_nanousd == 3000


async def test_calls_of_any_time_are_kept(store: OpenStore) -> None:
    """A wrong clock, and a copy of years: a batch may need more months than a server puts up with unasked."""
    calls = [make_call(timestamp=month * 31 * 86_400_000) for month in range(150)]
    calls += [make_call(timestamp=moment) for moment in (0, 2**41, 2**45)]
    assert await store.add(Batch(calls=calls)) == len(calls)
    assert (await store.totals(ALL)).calls == len(calls)
    assert len(await store.calls(ALL, limit=500)) == len(calls)


async def test_many_may_write_and_make_the_tables_at_once(clickhouse: Server, database: str) -> None:
    def work(seed: int) -> int:
        writer = ClickHouseStore(clickhouse.url(database)).writer()
        writer.open()
        calls = [make_call(timestamp=NOON + n, user_id=f"u{seed}") for n in range(40)]
        new = sum(writer.add(Batch(calls=calls[n : n + 20])) for n in (0, 10, 20))
        writer.close()
        return new

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(4))) == [40] * 4
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    assert (await store.totals(ALL)).calls == 160
    assert (await store.totals(replace(ALL, user_id="u2"))).calls == 40
    await store.close()
