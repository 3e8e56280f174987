"""Each plan that is believed is used: sums in the place of calls, and indexes that lead to few of them."""

import pytest

from miharu.stores.base import Query
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.queries import sums, times
from miharu.stores.clickhouse.tables.conditions import where
from miharu.stores.rollups import DAY, HOUR
from miharu.testing.open_store import OpenStore
from tests.stores.clickhouse.server import Server

START = 1_790_000_000_000 // DAY * DAY
CALLS = 200_000


@pytest.fixture
async def filled(store: OpenStore, clickhouse: Server, database: str) -> OpenStore:
    """Many calls over ten days, by the engine itself."""
    clickhouse.query(
        database,
        "INSERT INTO llm_calls (id, timestamp, version, sign, duration_ms, duration_bucket, stream, status, "
        "usage_source, api, model, route, user_id, session_id, trace_id, tags) SELECT toString(number), "
        f"{START} + intDiv(number * {10 * DAY}, {CALLS}), 1, 1, 5, 40, 0, 'success', 'provider', 'a', "
        "'m' || toString(number % 9), 'r' || toString(number % 7), 'u' || toString(number % 5000), "
        "'s' || toString(intDiv(number, 10)), 't' || toString(intDiv(number, 3)), "
        'if(number = 777, \'{"team": "search"}\', \'{"team": "other"}\') '
        f"FROM numbers({CALLS})",
    )
    return store


def plan(database: Database, monkeypatch: pytest.MonkeyPatch, ask: object) -> str:
    """What the engine would do for a question."""
    said: list[str] = []
    query = Database.query

    def listen(self: Database, statement: str) -> object:
        said.append(statement)
        return query(self, statement)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "query", listen)
        ask()  # type: ignore[operator]
    rows = database.query(f"EXPLAIN projections = 1, indexes = 1 {said[-1]}")
    return "\n".join(str(row[0]) for row in rows)


async def test_whole_hours_are_read_from_their_sums(
    filled: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = filled.sides.questions.database
    week = Query(start=START + HOUR, end=START + 8 * DAY)
    ragged = Query(start=START + HOUR + 7, end=START + 8 * DAY + 7)
    for query in (week, ragged):
        assert "(sums)" in plan(database, monkeypatch, lambda q=query: sums.totals(database, q))
        assert "(sums)" in plan(database, monkeypatch, lambda q=query: sums.series(database, q, DAY, "model"))
        of_models = plan(database, monkeypatch, lambda q=query: times.latencies(database, q, "model"))
        assert "(times_by_model)" in of_models
        of_routes = plan(database, monkeypatch, lambda q=query: times.latencies(database, q, "route"))
        assert "(times_by_route)" in of_routes
    one = Query(start=START, end=START + 8 * DAY, user_id="u77")
    of_user = plan(database, monkeypatch, lambda: sums.series(database, one, DAY, "model"))
    assert "(sums_by_user)" in of_user
    assert "ReadFromMergeTree (test_" not in of_user


@pytest.mark.parametrize(
    "facts", [{"session_id": "s500"}, {"trace_id": "t3000"}, {"tag": ("team", "search")}, {"user_id": "u1"}]
)
async def test_few_calls_are_found_without_a_look_at_all(filled: OpenStore, facts: dict[str, object]) -> None:
    database = filled.sides.questions.database
    query = Query(start=0, end=2**62, **facts)  # type: ignore[arg-type]
    ((read, found),) = database.query(
        f"SELECT uniqExact(_part, intDiv(_part_offset, 8192)), count() FROM llm_calls WHERE {where(query)}"
    )
    assert found
    rows = database.query(f"EXPLAIN indexes = 1, json = 0 SELECT count() FROM llm_calls WHERE {where(query)}")
    text = "\n".join(str(row[0]) for row in rows)
    if "user_id" not in facts:  # one in each granule has the most common of users
        assert "bloom_filter" in text
        assert read <= 2


async def test_tags_are_found_with_their_sums(filled: OpenStore) -> None:
    query = Query(start=0, end=2**62, tag=("team", "search"))
    assert (await filled.totals(query)).calls == 1
    assert not await filled.has_sums(query)
    assert await filled.has_sums(Query(start=0, end=2**62, user_id="u1"), "model")
