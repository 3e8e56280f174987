"""What is offered in place of a value that no call has."""

from dataclasses import replace
from typing import Any

import pytest

from miharu.analysis.near_values import near_values
from miharu.batch import Batch
from miharu.call import Call, Outcome
from miharu.conditions.parsing import parse
from miharu.conditions.writing import write_condition
from miharu.stores.base import Query
from miharu.stores.narrowing import narrowed
from miharu.testing.store_contract import make_call
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
ALL = Query(start=0, end=10**15)
CALLS = [
    make_call(model="gpt-4o-2024-08-06", provider="openai", user_id="Ann", tags={"team": "Search"}),
    make_call(model="gpt-4o-mini", provider="azure.ai.openai", route="POST /chat", service="shop"),
    make_call(model="claude", user_id="bob*", prompt_hash="9f65b7501234"),
]


async def offered(asked: str, *more: Call) -> list[str]:
    store = MemoryStore([*CALLS, *more])
    query = narrowed(ALL, parse(asked))
    found = await near_values(store, query)
    for one in found:  # what is offered finds calls, with all that was asked besides
        rest = narrowed(ALL, parse(asked.replace(write_condition(one.asked), write_condition(one.instead))))
        assert (await store.totals(rest)).calls, write_condition(one.instead)
    return [write_condition(one.instead) for one in found]


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ("model:gpt-4o", ["model:gpt-4o*"]),
        ("model:GPT-4o", ["model:gpt-4o*"]),
        ("model:CLAUDE", ["model:claude"]),
        ("model:4o-mini", ["model:*4o-mini*"]),
        ("provider:OpenAI", ["provider:openai"]),
        ("user:ann", ["user:Ann"]),
        ("user:BOB", ["user:bob*"]),
        ("route:/chat", ["route:*/chat*"]),
        ("service:SHOP", ["service:shop"]),
        ("version:9f65", ["version:9f65*"]),
        ("tag:team=search", ["tag:team=Search"]),
        ("model:gpt-4o,nothing user:ann", []),  # either alone is not what is missing
        ("model:gpt-4o,nothing", ["model:gpt-4o*"]),
        ("model:gpt-4o user:Ann", ["model:gpt-4o*"]),
        ("model:claude cost>5", []),  # there is such a model
        ("model:none", []),
        ("-model:gpt-4o", []),
        ("cost>5", []),
        ("session:S", []),
    ],
)
async def test_what_there_is_instead(asked: str, instead: list[str]) -> None:
    assert await offered(asked) == instead


async def test_the_other_filters_hold() -> None:
    failed = make_call(model="gpt-4o-old", outcome=Outcome(status="error", error_type="E"))
    assert await offered("model:gpt-4o status:cancelled", failed) == []
    query = narrowed(ALL, parse("model:gpt-4o status:error"))
    (near,) = await near_values(MemoryStore([*CALLS, failed]), query)
    assert near.sentence == "No call here has the model gpt-4o. Names that begin with it: gpt-4o-old."
    assert await near_values(MemoryStore(CALLS), replace(query, end=1)) == []


async def test_few_questions_are_asked_and_few_names_said() -> None:
    store = MemoryStore([make_call(model=f"m-{number:02}") for number in range(60)])
    asked: list[Any] = []
    ranks = store.ranks

    async def ask(*args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        return await ranks(*args, **kwargs)

    store.ranks = ask  # type: ignore[method-assign]
    values = ",".join(f"m-{number}x" for number in range(40))
    assert await near_values(store, narrowed(ALL, parse(f"model:{values}"))) == []
    assert len(asked) == 4
    (near,) = await near_values(store, narrowed(ALL, parse("model:m-")))
    assert near.sentence.endswith("m-00, m-01, m-02, ….")
    store.kept.clear()
    await store.add(Batch(calls=[make_call(model="x" * 400)]))
    (near,) = await near_values(store, narrowed(ALL, parse("model:x")))
    assert len(near.sentence) < 200
    assert max(args[2] for args in asked) == 50
