"""Real receivers of OpenTelemetry data, each a process of its own, and what stands in them."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.receivers.ports import free_port

__all__ = ("RECEIVERS", "MLflow", "Phoenix", "Stands")

STARTS_S = 300
"""A busy machine takes minutes to make their tables."""


@dataclass(frozen=True, slots=True)
class Stands:
    """What a receiver says of a span."""

    model: str
    input_tokens: int
    output_tokens: int
    cost: float
    parent: str | None
    messages: str
    """All that was said, in the receiver's own form."""


class Phoenix:
    """Arize Phoenix: https://github.com/Arize-ai/phoenix."""

    name = "phoenix"
    module = "phoenix"
    headers = ""

    @contextmanager
    def running(self, folder: Path) -> Iterator[str]:
        port = free_port()
        environ = {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }
        with _running(["-m", "phoenix.server.main", "serve"], environ, folder, port, "/healthz") as url:
            yield url

    def stands(self, url: str, trace: str) -> dict[str, Stands]:
        spans = _json(f"{url}/v1/projects/default/spans?limit=100")["data"]
        return {
            span["name"]: Stands(
                model=span["attributes"].get("llm.model_name", ""),
                input_tokens=span["attributes"].get("llm.token_count.prompt", 0),
                output_tokens=span["attributes"].get("llm.token_count.completion", 0),
                cost=span["attributes"].get("miharu.cost.usd", 0.0),
                parent=span["parent_id"],
                messages=" ".join(
                    str(value) for name, value in span["attributes"].items() if "_messages." in name
                ),
            )
            for span in spans
            if span["context"]["trace_id"] == trace
        }


class MLflow:
    """MLflow: https://mlflow.org/docs/latest/genai/tracing/opentelemetry/ingest/."""

    name = "mlflow"
    module = "mlflow"
    headers = "x-mlflow-experiment-id=0"

    @contextmanager
    def running(self, folder: Path) -> Iterator[str]:
        port = free_port()
        command = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        with _running(command, {"MLFLOW_DISABLE_TELEMETRY": "true"}, folder, port, "/health") as url:
            yield url

    def stands(self, url: str, trace: str) -> dict[str, Stands]:
        """By MLflow's own client, which is a process of its own: it brings a tracer."""
        script = (
            "import json, sys, mlflow; mlflow.set_tracking_uri(sys.argv[1]);"
            "trace = mlflow.get_trace('tr-' + sys.argv[2], silent=True);"
            "spans = trace.data.spans if trace else [];"
            "print(json.dumps([[s.name, s.parent_id, dict(s.attributes)] for s in spans], default=str))"
        )
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, url, trace],
            capture_output=True,
            text=True,
            check=True,
            timeout=STARTS_S,
        )
        found = {}
        for name, parent, facts in json.loads(done.stdout.splitlines()[-1]):
            usage, cost = facts.get("mlflow.chat.tokenUsage", {}), facts.get("mlflow.llm.cost", {})
            found[name] = Stands(
                model=facts.get("mlflow.llm.model", ""),
                input_tokens=usage.get("input_tokens", 0),
                output_tokens=usage.get("output_tokens", 0),
                cost=cost.get("total_cost", facts.get("miharu.cost.usd", 0.0)),
                parent=parent,
                messages=f"{facts.get('mlflow.spanInputs')} {facts.get('mlflow.spanOutputs')}",
            )
        return found


RECEIVERS: "tuple[Phoenix | MLflow, ...]" = (Phoenix(), MLflow())


@contextmanager
def _running(
    command: list[str], environ: dict[str, str], folder: Path, port: int, health: str
) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *command],
            env=os.environ | environ,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        until = time.monotonic() + STARTS_S
        while not _answers(f"{url}{health}"):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, (folder / "log").read_text()[-2000:]
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)
