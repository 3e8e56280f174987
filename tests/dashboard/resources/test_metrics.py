"""``/metrics``, read by the official parsers, by promtool and by Prometheus itself."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import Any

import anyio
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from miharu._budget import BudgetState
from miharu.call import Cost, Outcome, Usage
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.metrics import series
from miharu.dashboard.routes import respond
from miharu.monitor.figures import NOTHING
from miharu.testing.store_contract import make_call
from tests.dashboard.conftest import make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.traffic import traffic

pytestmark = pytest.mark.anyio
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOW = 1_790_000_000_000
BUDGET = BudgetState(
    name='all "day"',
    key=None,
    per="day",
    limit_nanousd=10**10,
    spent_nanousd=10**9,
    unpriced=0,
    starts=0,
    ends=1,
    refuses=False,
)


async def scrape(site: Site, accept: str = "", path: str = "metrics") -> Page:
    return await respond(PageRequest(path=path, headers={"accept": accept}), site)


def parsed(page: Page) -> dict[str, Metric]:
    assert page.status == 200
    kind = dict(page.headers)["Content-Type"]
    read = (
        openmetrics.text_string_to_metric_families
        if kind.startswith("application/openmetrics-text")
        else text_string_to_metric_families
    )
    return {family.name: family for family in read(page.body.decode())}


def values(family: Metric, name: str | None = None) -> dict[tuple[str, ...], float]:
    first = list(series.LABELS)

    def key(labels: dict[str, str]) -> tuple[str, ...]:
        names = sorted(labels, key=lambda label: (first.index(label) if label in first else 9, label))
        return tuple(labels[label] for label in names)

    return {key(sample.labels): sample.value for sample in family.samples if name in {None, sample.name}}


def figures() -> Any:
    return {**NOTHING, "captured": 7, "queue_depth": 2, "last_write": 1.5}


@pytest.fixture
def site() -> Site:
    failed = Outcome(status="error", error_type="timeout")
    calls = [
        make_call(route="/a", service="shop", attempt=2, duration_ms=900, ttft_ms=90),
        make_call(route="/a", service="shop", duration_ms=30_000),
        make_call(route="/a", service="shop", outcome=failed, cost=None),
        make_call(model=None, provider=None, cost=None, usage=Usage(usage_source="none")),
        make_call(cost=Cost(cost_nanousd=1_500_000_000, cost_source="x"), model='we"ird\\\nname'),
    ]
    return make_site(MemoryStore(calls), figures=figures, budgets=lambda: [BUDGET])


@pytest.mark.parametrize("accept", ["", "text/plain;version=0.0.4", OPENMETRICS, f"{OPENMETRICS},*/*;q=0.1"])
async def test_the_official_parsers_read_it(site: Site, accept: str) -> None:
    page = await scrape(site, accept)
    kind = dict(page.headers)["Content-Type"]
    assert kind.startswith("application/openmetrics-text" if "openmetrics" in accept else "text/plain")
    found = parsed(page)
    a = ("m", "openai", "/a", "shop")
    assert values(found["miharu_calls"], "miharu_calls_total")[*a, "success"] == 2
    assert values(found["miharu_calls"], "miharu_calls_total")[*a, "error"] == 1
    assert values(found["miharu_errors"], "miharu_errors_total") == {(*a, "timeout"): 1}
    cost = values(found["miharu_cost_dollars"], "miharu_cost_dollars_total")
    assert cost[a] == pytest.approx(2e-6)
    assert cost['we"ird\\\nname', "openai", "none", "none"] == 1.500000000
    assert values(found["miharu_input_tokens"], "miharu_input_tokens_total")[a] == 30
    assert values(found["miharu_output_tokens"], "miharu_output_tokens_total")[a] == 15
    assert values(found["miharu_retries"], "miharu_retries_total")[a] == 1
    assert values(found["miharu_unpriced_calls"], "miharu_unpriced_calls_total")[("none",) * 4] == 1
    durations = found["miharu_call_duration_seconds"]
    assert values(durations, "miharu_call_duration_seconds_count")[a] == 2
    assert values(durations, "miharu_call_duration_seconds_sum")[a] == pytest.approx(30.9, rel=0.02)
    below = {
        sample.labels["le"]: sample.value
        for sample in durations.samples
        if sample.labels.get("route") == "/a" and "le" in sample.labels
    }
    assert (below["0.5"], below["1.0"], below["20.0"], below["30.0"], below["+Inf"]) == (0, 1, 1, 2, 2)
    assert values(found["miharu_time_to_first_token_seconds"], "miharu_time_to_first_token_seconds_sum")[
        a
    ] == pytest.approx(0.09, rel=0.02)
    pid = str(os.getpid())
    assert values(found["miharu_process_captured"], "miharu_process_captured_total") == {(pid,): 7}
    assert values(found["miharu_process_queue_depth"]) == {(pid,): 2}
    assert values(found["miharu_budget_spent_dollars"]) == {('all "day"', "", "day"): 1}
    assert values(found["miharu_label_sets"]) == {("yes",): 3, ("no",): 0}


async def test_the_rest_of_the_series_are_under_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [make_call(route=f"/{number:03}") for number in range(series.SETS + 5)]
    errors = [
        make_call(route="/000", outcome=Outcome(status="error", error_type=f"e{number:03}"))
        for number in range(series.ERROR_TYPES + 3)
    ]
    store = MemoryStore([*calls, *errors])
    found = parsed(await scrape(make_site(store)))
    totals = values(found["miharu_calls"], "miharu_calls_total")
    assert len(totals) == series.SETS + 2  # other, and those that failed
    assert totals["other", "other", "other", "other", "success"] == 5
    assert sum(totals.values()) == len(calls) + len(errors)
    assert values(found["miharu_label_sets"]) == {("yes",): series.SETS, ("no",): 5}
    by_kind = values(found["miharu_errors"], "miharu_errors_total")
    assert len(by_kind) == series.ERROR_TYPES + 1
    assert by_kind["m", "openai", "/000", "none", "other"] == 3


async def test_no_series_comes_back_from_other() -> None:
    """It would make ``other`` less than it was."""
    store = MemoryStore(make_call(route=f"/{number:03}") for number in range(5, series.SETS))
    named: set[str] = set()
    others = 0.0
    for number in (series.SETS + 3, 1, series.SETS + 9, 0, 3, series.SETS + 1, 2, 4):
        route = f"/{number:03}"  # a route that makes many calls is no exception
        store.kept |= {call.id: call for call in (make_call(route=route) for _ in range(9))}
        totals = values(parsed(await scrape(make_site(store)))["miharu_calls"], "miharu_calls_total")
        now = {labels[2] for labels in totals} - {"other"}
        assert not named or now - named <= {route}
        assert totals.get((*("other",) * 4, "success"), 0) >= others
        assert sum(totals.values()) == len(store.kept)
        named, others = now, totals.get((*("other",) * 4, "success"), 0)
    # and every process names the same ones
    assert named == set(sorted({str(call.route) for call in store.kept.values()})[: series.SETS])
    assert others > 0


async def test_it_is_bounded_in_size() -> None:
    page = await scrape(make_site(MemoryStore(make_call(route=f"/{n}", ttft_ms=n) for n in range(5000))))
    assert len(page.body) < 2_000_000


async def test_a_process_that_only_looks_says_nothing_of_itself() -> None:
    found = parsed(await scrape(make_site(MemoryStore())))
    assert not [name for name in found if name.startswith("miharu_process_")]


async def test_no_series_is_there_twice() -> None:
    page = await scrape(make_site(MemoryStore(traffic(NOW, calls=600, days=2)), figures=figures))
    lines = [line.rpartition(" ")[0] for line in page.body.decode().splitlines() if line[0] != "#"]
    assert [line for line, number in Counter(lines).items() if number > 1] == []


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: apt install prometheus"
)
async def test_promtool_has_nothing_to_say_against_it(site: Site) -> None:
    for one in (site, make_site(MemoryStore(traffic(NOW, calls=600, days=2)), figures=figures)):
        page = await scrape(one)
        checked = await anyio.run_process(["promtool", "check", "metrics"], input=page.body, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


MISSING = """
import sys
sys.modules["prometheus_client"] = None
import anyio
from miharu.dashboard.http.page import PageRequest
from miharu.dashboard.routes import respond
from tests.dashboard.conftest import make_site
from tests.dashboard.memory import MemoryStore
page = anyio.run(respond, PageRequest(path="metrics"), make_site(MemoryStore()))
print(page.status, page.body.decode())
"""


def test_without_the_library_it_says_what_to_install() -> None:
    said = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True).stdout
    assert said.startswith("501 ")
    assert 'pip install "miharu[metrics]"' in said


async def test_a_store_without_counters_is_named() -> None:
    class Older(MemoryStore):
        counters: Any = property(lambda self: self.nothing_of_that_name)

    page = await scrape(make_site(Older()))
    assert page.status == 501
    assert b"Questions.counters()" in page.body
