import argparse
import json
import shlex
import sys
from importlib import import_module
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import miharu
from tests.calls import rows
from tests.docs.blocks import ROOT, Block, of

PAGE = "examples/fastapi_app/README.md"
FOLDER = ROOT / "examples" / "fastapi_app"


@of(PAGE, "uvicorn app:app")
def test_it_is_started_by_names_that_exist(example: Block) -> None:
    """tests/examples starts it as it is written here."""
    install, start = example.commands
    assert (FOLDER / install.split()[-1]).exists()
    assert start == "uvicorn app:app"
    assert (FOLDER / "app.py").exists()


@of(PAGE, "curl -X POST")
def test_each_request_is_answered(example: Block, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    parser = argparse.ArgumentParser()
    parser.add_argument("-X", default="GET")
    parser.add_argument("-N", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default="")
    parser.add_argument("url")
    trace = ""
    with TestClient(import_module("app").app) as client:
        for command in example.commands:
            typed = parser.parse_args(shlex.split(command)[1:])
            host, _, path = typed.url.partition("/")
            assert host == "localhost:8000"
            headers = dict(header.split(": ", 1) for header in typed.H)
            body = typed.d.replace("THE ONE OF THE ANSWER", trace)
            answer = client.request(typed.X, f"/{path}", headers=headers, content=body)
            assert answer.status_code < 300, (command, answer.text)
            if answer.headers["content-type"] == "application/json":
                said = json.loads(answer.text or "null")
                trace = trace or (said or {}).get("trace") or ""
        assert miharu.flush()
        assert client.get("/miharu/").status_code == 200
    sys.modules.pop("app")
    assert {row["route"] for row in rows(database)} >= {
        "POST /chat/{thread_id}",
        "POST /chat/{thread_id}/stream",
        "POST /summarise",
    }
    assert [row["trace_id"] for row in rows(database, "llm_scores")] == [trace]
