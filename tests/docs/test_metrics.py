"""The page on metrics and the dashboard of Grafana's, with the programs that read them."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from miharu.dashboard.access.decide import Access
from miharu.dashboard.access.visit import Visit
from miharu.dashboard.metrics import calls, health
from miharu.monitor.figures import NOTHING
from miharu.stores.base import Counted
from tests.docs.blocks import ROOT, Block, of
from tests.programs import PRELUDE

PAGE = "docs/metrics.md"
GRAFANA = json.loads((ROOT / "docs" / "grafana" / "miharu.json").read_text())
QUERIES = [target["expr"] for panel in GRAFANA["panels"] for target in panel["targets"]]
PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: apt install prometheus"
)
PROMETHEUS = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed: apt install prometheus"
)
TOKEN = "a-long-random-text"
SERVER = f"""{PRELUDE}
for _ in range(3):
    ask()
assert miharu.flush(30)
import fastapi, uvicorn
app = fastapi.FastAPI()
app.mount("/miharu", miharu.asgi())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
"""


def names() -> set[str]:
    """As they are queried."""
    stats: Any = {**NOTHING, "last_write": 1.0}
    found = set()
    families = (calls.families(Counted(sums=(), times=())), health.process(stats), health.budgets(()))
    for family in (one for some in (*families, health.store(1)) for one in some):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",)}
        found |= {f"{family.name}{ending}" for ending in endings.get(family.type, ("",))}
    return found


@of(PAGE, 'pip install "miharu[metrics]"')
def test_the_extra_brings_the_library(example: Block) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert [line.partition(">")[0] for line in extras["metrics"]] == ["prometheus-client"]
    assert example.commands == ['pip install "miharu[metrics]"']


@of(PAGE, "MIHARU_METRICS_TOKEN=")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_setting_lets_a_scraper_in(example: Block) -> None:
    name, _, token = example.text.strip().partition("=")
    access = Access("token", environ={name: token})
    headers = {"host": "h", "authorization": f"Bearer {token}"}
    scope = {"client": ("192.0.2.1", 1), "http_version": "1.1", "headers": ()}
    visit = Visit(scope=scope, headers=headers, params={}, base="/", path="/metrics")
    assert (await access.decide(visit, ":memory:")).page is None


@of(PAGE, "scrape_configs:")
@PROMETHEUS
def test_prometheus_scrapes_with_that_configuration(example: Block, database: Path, tmp_path: Path) -> None:
    port, own = _free_port(), _free_port()
    config = tmp_path / "prometheus.yml"
    text = example.text.replace("app.internal:8000", f"127.0.0.1:{port}")
    config.write_text(f"global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\n{text}")
    prometheus = [
        *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'series'}"),
        f"--web.listen-address=127.0.0.1:{own}",
    ]
    environ = {"MIHARU_METRICS_TOKEN": TOKEN, "MIHARU_AUTH": "token", "MIHARU_SERVICE": "shop"}
    server = [sys.executable, "-c", SERVER, str(database), str(port)]
    with _running(server, environ, tmp_path), _running(prometheus, {}, tmp_path):
        address = f"http://127.0.0.1:{own}/api/v1/query?query="
        [found] = _until(f"{address}miharu_calls_total")
        assert found["value"][1] == "3"
        assert found["metric"]["service"] == "shop"
        [up] = _until(f"{address}up")
        assert up["value"][1] == "1"
        for query in QUERIES:  # those of Grafana's mean something to it
            plain = re.sub(r"\$__\w+", "1m", re.sub(r'=~"\$\w+"', '=~".*"', query))
            with urllib.request.urlopen(address + urllib.parse.quote(plain)) as answer:
                assert json.load(answer)["status"] == "success", plain
        median = "histogram_quantile(0.5, sum by (le) (miharu_call_duration_seconds_bucket))"
        assert _until(address + urllib.parse.quote(median))


@of(PAGE, "- alert: LLMSpend")
@PROMTOOL
def test_the_alerts_are_valid_and_name_what_there_is(example: Block, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(example.text)
    checked = subprocess.run(
        ["promtool", "check", "rules", str(rules)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "3 rules found" in checked.stdout
    assert set(re.findall(r"\bmiharu_\w+", example.text)) <= names()


def test_each_metric_in_the_dashboard_of_grafana_is_there() -> None:
    assert len(QUERIES) > 20
    for query in (*QUERIES, *(one.get("definition", "") for one in GRAFANA["templating"]["list"])):
        assert set(re.findall(r"\bmiharu_\w+", query)) <= names(), query


def test_each_label_in_the_dashboard_of_grafana_is_there() -> None:
    known = {"model", "provider", "route", "service", "status", "error_type", "le", "named", "budget", "key"}
    for query in QUERIES:
        used = {name for group in re.findall(r"by \(([^)]+)\)", query) for name in group.split(", ")}
        used |= set(re.findall(r"(\w+)=~?\"", query))
        assert used <= known, query


def test_the_panels_of_grafana_do_not_overlap() -> None:
    seen: set[tuple[int, int]] = set()
    for panel in GRAFANA["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & seen, panel["title"]
        assert at["x"] + at["w"] <= 24
        seen |= cells


def test_the_page_names_all_metrics_and_no_other() -> None:
    text = (ROOT / PAGE).read_text()
    table = re.findall(r"^\| (`miharu_.*?) \|", text, re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`(miharu_\w+)`", cell)}
    whole = {re.sub(r"_(bucket|count|sum)$", "", name) for name in names()}
    assert named == whole


@contextmanager
def _running(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[None]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIHARU_")}
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as out:
        program = subprocess.Popen(
            command, env=inherited | environ, cwd=folder, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield
    except AssertionError as error:
        error.add_note(log.read_text()[-2000:])
        raise
    finally:
        program.terminate()
        program.wait(30)


def _until(url: str, seconds: float = 60) -> list[dict[str, Any]]:
    """What is answered, once that is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if found := json.load(answer)["data"]["result"]:
                    return list(found)
        except (urllib.error.URLError, ConnectionError):
            pass  # it has not started yet
        time.sleep(0.1)
    raise AssertionError(f"nothing at {url}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
