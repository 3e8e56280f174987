"""The token that opens ``/metrics`` to a scraper, and nothing else."""

from typing import Any

import pytest

import miharu
from miharu.dashboard.access import scraper
from miharu.dashboard.access.decide import Access
from miharu.dashboard.access.proxy import Latch
from miharu.dashboard.access.throttle import MOST
from miharu.dashboard.access.visit import Decision, Visit
from miharu.errors import ConfigError

TOKEN = "a token for scrapers alone"
FAR = {"client": ("192.0.2.9", 40_000), "http_version": "1.1", "scheme": "http", "headers": ()}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def access(auth: Any = "token", *, environ: dict[str, str] | None = None, **more: Any) -> Access:
    return Access(auth, environ=environ or {}, terminal=lambda: False, latch=Latch(), **more)


async def visit(access: Access, path: str = "/metrics", shown: str | None = TOKEN, **scope: Any) -> Decision:
    headers = {"host": "miharu.example"} | ({} if shown is None else {"authorization": f"Bearer {shown}"})
    asked = Visit(scope=FAR | scope, headers=headers, params={}, base="/miharu/", path=path)
    return await access.decide(asked, ":memory:")


def status(decision: Decision) -> int:
    return 200 if decision.page is None else decision.page.status


@pytest.mark.parametrize("auth", ["auto", "token", lambda _scope: False])
@pytest.mark.parametrize("given", [{"metrics_token": TOKEN}, {"environ": {"MIHARU_METRICS_TOKEN": TOKEN}}])
async def test_it_opens_the_metrics_in_every_mode_and_nothing_else(auth: Any, given: dict[str, Any]) -> None:
    door = access(auth, **given)
    assert await visit(door) == Decision(access="metrics token")
    for path in ("/", "/calls", "/export.json", "/healthz", "/metrics/", "/metrics2", "/Metrics"):
        assert status(await visit(door, path)) == 403
    assert status(await visit(door, shown=None)) == 403
    assert status(await visit(door, shown=f"{TOKEN}x")) == 403


async def test_an_argument_wins_over_the_environment() -> None:
    door = access(metrics_token=TOKEN, environ={"MIHARU_METRICS_TOKEN": "another one"})
    assert status(await visit(door)) == 200
    assert status(await visit(door, shown="another one")) == 403


async def test_without_it_the_rules_of_the_dashboard_hold() -> None:
    assert status(await visit(access("off", allowed_hosts=["miharu.example"]), shown=None)) == 200
    assert status(await visit(access("token"), shown="")) == 403
    assert status(await visit(access("token", environ={"MIHARU_METRICS_TOKEN": " "}), shown="")) == 403
    both = access("token", environ={"MIHARU_TOKEN": "that of the dashboard", "MIHARU_METRICS_TOKEN": TOKEN})
    assert status(await visit(both, shown="that of the dashboard")) == 200
    assert status(await visit(both)) == 200


async def test_it_cannot_be_found_by_trying() -> None:
    door = access(metrics_token=TOKEN)
    for number in range(MOST):
        assert status(await visit(door, shown=f"wrong {number}")) == 403
    assert status(await visit(door)) == 429
    assert status(await visit(door, client=("192.0.2.10", 1))) == 200


async def test_it_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def same(one: str, other: str) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(scraper, "same", same)
    await visit(access(metrics_token=TOKEN), shown="guess")
    assert compared == [("guess", TOKEN)]


async def test_a_short_one_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    await visit(access(environ={"MIHARU_METRICS_TOKEN": "short"}), shown="short")
    assert "MIHARU_METRICS_TOKEN is so short" in caplog.text


def test_an_empty_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"metrics_token.*secrets\.token_urlsafe"):
        miharu.asgi(metrics_token=" ")
