from importlib.metadata import metadata
from pathlib import Path
from urllib.parse import unquote

import httpx

from miharu.cli import _main
from tests.docs.blocks import Block, of
from tests.otlp.test_taking import CHAT, encoded, request, span
from tests.remote.world import TOKEN, Taker, models

PAGE = "docs/ingest.md"


@of(PAGE, "pip install")
def test_the_server_is_started_so(example: Block) -> None:
    """What it takes in then, tests/otlp has."""
    install, start = example.commands
    assert install == 'pip install "miharu[otlp]"'
    assert "otlp" in (metadata("miharu").get_all("Provides-Extra") or [])
    assert _main._parser().parse_args(start.split()[1:]).ingest


@of(PAGE, "OTEL_EXPORTER_OTLP_ENDPOINT")
def test_the_variables_send_there(example: Block, tmp_path: Path) -> None:
    found = dict(line.split("=", 1) for line in example.commands)
    name, _, value = found["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    taker = Taker(tmp_path).start()
    try:
        answer = httpx.post(
            found["OTEL_EXPORTER_OTLP_ENDPOINT"].replace("3001", str(taker.port)) + "/v1/traces",
            content=encoded(request(span(1, CHAT))),
            headers={name: unquote(value).replace("TOKEN", TOKEN), "Content-Type": "application/x-protobuf"},
            trust_env=False,
        )
    finally:
        taker.end()
    assert answer.status_code == 200
    assert models(taker.database) == ["gpt-4o"]
