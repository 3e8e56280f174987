"""Two hundred requests at once, on different routes, of different users and sessions: none is mixed up."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.calls import rows
from tests.frameworks.serving import SERVERS, environment, provider, serving

pytest.importorskip("hypercorn", reason="it has an environment of its own: requirements/frameworks.txt")

MANY = 200
ROUTES = {
    "/v1/chat/{thread_id}": "/v1/chat/{}",
    "/sync/{document}": "/sync/{}",
    "/later/{job}": "/later/{}",
    "/words/{thread_id}": "/words/{}",
    "/tenants/{tenant}/chat/{thread_id}": "/tenants/acme/chat/{}",
}


def trace_of(number: int) -> str:
    """What every other visitor brings along."""
    return f"{number + 1:032x}"


async def visit(address: str) -> None:
    async with httpx2.AsyncClient(
        base_url=address, trust_env=False, timeout=120, limits=httpx2.Limits(max_connections=MANY)
    ) as client:

        async def one(number: int) -> None:
            path = list(ROUTES.values())[number % len(ROUTES)].format(1000 + number)
            headers = {
                "x-user": f"user-{number}",
                "x-session": f"session-{number}",
                "x-request-id": f"request-{number}",
            }
            if number % 2:
                headers["traceparent"] = f"00-{trace_of(number)}-{number + 1:016x}-01"
            (await client.get(path, headers=headers)).raise_for_status()

        async with anyio.create_task_group() as group:
            for number in range(MANY):
                group.start_soon(one, number)


@pytest.mark.full
@pytest.mark.parametrize("server", SERVERS)
def test_each_call_has_its_own(server: str, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with (
        provider(latency=0.05) as model_url,
        serving("tests.frameworks.apps.busy:app", environment(database, model_url), server) as address,
    ):
        anyio.run(visit, address)
    _judge(rows(database), rows(database, "llm_spans"))


def _judge(calls: list[Any], spans: list[Any]) -> None:
    assert len(calls) == MANY * 3
    spans_of, templates = {span["id"]: span for span in spans}, list(ROUTES)
    traces = defaultdict(set)
    for call in calls:
        user, _, which = call["model"].partition(".")
        number = int(user.removeprefix("user-"))
        assert which in {"first", "second", "third"}
        assert call["route"] == f"GET {templates[number % len(templates)]}"
        assert call["user_id"] == user
        assert call["session_id"] == f"session-{number}"
        assert call["host_request_id"] == f"request-{number}"
        assert json.loads(call["tags"]) == {"plan": f"plan of {user}"}
        traces[number].add(call["trace_id"])
        span = spans_of[call["parent_id"]]
        assert (span["name"], span["trace_id"], span["user_id"]) == ("answer", call["trace_id"], user)
        assert (span["route"], span["session_id"]) == (call["route"], call["session_id"])
        assert span["parent_id"] == (f"{number + 1:016x}" if number % 2 else None)
    assert len(spans) == len(traces) == MANY
    assert all(len(ids) == 1 for ids in traces.values())
    assert len(set.union(*traces.values())) == MANY
    assert all(traces[number] == {trace_of(number)} for number in range(1, MANY, 2))
