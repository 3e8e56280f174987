import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import miharu
from miharu.exporters.otlp.environment import environment
from miharu.exporters.otlp.lane import MOST_BYTES
from tests.calls import ask
from tests.docs.blocks import ROOT, Block, of
from tests.exporters.otlp.receiver import Receiver, attributes, receiving

PAGE = "docs/opentelemetry.md"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@of(PAGE, "pip install")
def test_the_extra_is_one_of_ours(example: Block) -> None:
    [extra] = re.findall(r"miharu\[(\w+)\]", example.text)
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


@of(PAGE, 'exporters=["otlp"]')
def test_a_call_is_sent(
    example: Block, receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    ask()
    assert miharu.flush(20)
    assert [span.name for span in receiver.spans] == ["chat gpt-4o"]


@of(PAGE, "MIHARU_EXPORTERS")
def test_the_environment_alone_is_enough(
    example: Block, receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in re.findall(r"export (\w+)=(\S+)", example.text):
        if name == "OTEL_EXPORTER_OTLP_ENDPOINT":
            assert environment({name: value}).endpoints[0].url == f"{value}/v1/traces"
        else:
            monkeypatch.setenv(name, value)
    miharu.init(database)
    ask()
    assert miharu.flush(20)
    assert len(receiver.spans) == 1


def test_each_variable_and_each_bound_is_described() -> None:
    page = (ROOT / PAGE).read_text()
    code = "".join(path.read_text() for path in (ROOT / "miharu" / "exporters" / "otlp").glob("*.py"))
    for name in re.findall(r'"(OTEL_[A-Z_]+)"', code):
        assert name in page, name
    for name in re.findall(r'value\("([A-Z_]+)"\)', code):
        assert name == "PROTOCOL" or f"OTEL_EXPORTER_OTLP_{name}" in page, name
    assert f"{MOST_BYTES >> 20} MB of content" in page


def test_each_attribute_is_described(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], capture_content=True)
    with miharu.context(user="u", session="s", tags={"t": "1"}), miharu.span("work"):
        ask()
    assert miharu.flush(20)
    page = (ROOT / PAGE).read_text()
    for span in receiver.spans:
        for name in attributes(span):
            assert f"`{name}`" in page or name.startswith("miharu.tag."), name
    for name in receiver.metrics:
        assert f"`{name}`" in page or f"`….{name.split('.usage.')[-1]}`" in page or "operation." in name, name
