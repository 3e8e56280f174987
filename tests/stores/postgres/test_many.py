"""Many processes and one database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from miharu.call import new_id
from miharu.stores.postgres import PostgresStore, partitions, schema
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON
from tests.stores.postgres.crew import Crew
from tests.stores.postgres.server import Server
from tests.stores.postgres.world import fill, read_and_added_up, tables

DAY = partitions.DAY_MS


async def test_eight_writers_lose_nothing_and_every_sum_is_exact(
    postgres: Server, database: str, crew: Crew
) -> None:
    jobs = [
        {
            "do": "write",
            "url": postgres.url(database),
            "seed": i,
            "calls": 2500,
            "batch": 100,
            "tend": True,
        }
        for i in range(8)
    ]
    looks, folded = 0, 0
    with ThreadPoolExecutor(1) as waiting:
        reader = both(PostgresStore(postgres.url(database)))
        await reader.open()
        answers = waiting.submit(crew.do, jobs)
        seen, last = 0, 0
        while not answers.done():
            read, raw = await reader.sides.questions.read(read_and_added_up)
            assert read == raw
            assert raw.calls >= seen
            revision = await reader.revision()
            assert revision >= last
            seen, last, looks = raw.calls, revision, looks + 1
        assert answers.result() == [2500] * 8
        assert await reader.revision() == 8 * 25
    while await reader.roll_up():
        folded += 1
    read, raw = await reader.sides.questions.read(read_and_added_up)
    assert read == raw
    assert raw.calls == 20_000
    assert raw.cost_nanousd == 20_000 * 1000
    [[watermark]] = await postgres.query(database, "SELECT watermark FROM miharu_state")
    assert watermark > 0
    assert looks > 3
    assert {group.totals.calls for group in await reader.groups(ALL, "route")} == {4000}
    await reader.close()


async def test_the_same_batches_from_all_of_them_are_kept_once(
    postgres: Server, database: str, crew: Crew
) -> None:
    job = {"do": "write", "url": postgres.url(database), "seed": 1, "calls": 500}
    answers = crew.do([{**job, "batch": batch} for batch in (50, 60, 70, 80, 90, 100, 110, 500)])
    assert sum(answers) == 500, answers
    [[rows]] = await postgres.query(database, "SELECT count(*) FROM llm_calls")
    assert rows == 500


async def test_all_of_them_make_the_schema(postgres: Server, crew: Crew) -> None:
    for _ in range(5):
        database = await postgres.new_database()
        assert crew.do([{"do": "open", "url": postgres.url(database)}] * 8) == [0] * 8
        [[version]] = await postgres.query(database, "SELECT version FROM miharu_schema")
        assert version == len(schema.STEPS)


async def test_all_of_them_make_the_days(postgres: Server, database: str, crew: Crew) -> None:
    jobs = [
        {"do": "write", "url": postgres.url(database), "seed": i, "calls": 5, "batch": 1, "apart_ms": DAY}
        for i in range(8)
    ]
    assert crew.do(jobs) == [5] * 8
    assert len(await tables(postgres, database)) == 6


@pytest.mark.usefixtures("eager")
async def test_a_writer_that_is_late_to_commit_is_summed_up_as_well(
    store: OpenStore, postgres: Server, database: str
) -> None:
    """Its number is lower than those of others that are folded in before it can be seen."""
    await fill(store, NOON)
    slow, started = await postgres.connect(database), NOON + 1
    late = slow.transaction()
    await late.start()
    await slow.execute(
        "INSERT INTO llm_calls (id, timestamp, duration_ms, stream, status, usage_source, api) "
        f"VALUES ('{new_id(started)}', {started}, 1, 0, 'success', 'none', 'openai.chat');"
        f"INSERT INTO miharu_changes (calls, first, last) VALUES (1, {started}, {started})"
    )
    for n in range(3):
        await fill(store, NOON + 2 + n)
        await store.roll_up()
        read, raw = await store.sides.questions.read(read_and_added_up)
        assert (read, raw.calls) == (raw, 2 + n)
    revision = await store.revision()
    await late.commit()
    await slow.close()
    assert await store.revision() == revision + 1
    for _ in range(2):
        read, raw = await store.sides.questions.read(read_and_added_up)
        assert (read, raw.calls) == (raw, 5)
        await store.roll_up()
    [[left]] = await postgres.query(database, "SELECT count(*) FROM miharu_changes")
    assert left == 0
