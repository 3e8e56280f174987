"""A store that keeps nothing says so in every way it can be asked."""

import pytest

from miharu.batch import Batch
from miharu.stores.base import Latency, Totals
from miharu.stores.nowhere import Nowhere
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, make_call


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_takes_everything_and_has_nothing() -> None:
    store = both(Nowhere("nowhere://"))
    await store.open()
    call = make_call()
    assert await store.add(Batch(calls=[call])) == 1
    assert (await store.totals(ALL), await store.latency(ALL)) == (Totals(), Latency())
    assert await store.call(call.id) is None
    for nothing in (
        await store.calls(ALL),
        await store.series(ALL, 1000),
        await store.durations(ALL, 1000),
        await store.groups(ALL, "model"),
        await store.keys(ALL, "model"),
        await store.sessions(ALL),
        await store.spans("trace"),
        (await store.failed_spans(ALL)).newest,
        await store.scores(trace_id="trace"),
    ):
        assert list(nothing) == []
    assert (await store.revision(), await store.reprice({}), await store.prune(0)) == (0, 0, 0)
    assert await store.roll_up() is False
    assert await store.extent(ALL) is None
    assert await store.size() is None
    await store.close()
