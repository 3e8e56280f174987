import re
import shlex
import signal
import subprocess
import sys

import httpx2
from starlette.testclient import TestClient

from miharu.testing import FakeProvider
from tests.docs.blocks import ROOT, Block, of

PAGE = "docs/testing.md"


@of(PAGE, "-m miharu.testing")
def test_the_provider_runs_as_a_program(example: Block) -> None:
    [command] = example.commands
    words = shlex.split(command.replace("--port 8765", "--port 0"))
    assert words[0] == "python"
    process = subprocess.Popen([sys.executable, *words[1:]], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(10)]
        settings = dict(re.findall(r"export (\w+)=(\S+)", "".join(told)))
        asked = {"model": "gpt-4o", "input": "hi"}
        with httpx2.Client(trust_env=False) as http:
            answer = http.post(f"{settings['OPENAI_BASE_URL']}/responses", json=asked)
            assert answer.json()["status"] == "completed"
            message = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
            answer = http.post(f"{settings['ANTHROPIC_BASE_URL']}/v1/messages", json=message)
            assert answer.json()["type"] == "message"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_each_fault_that_the_page_names_is_one() -> None:
    table = (ROOT / PAGE).read_text().partition("## Faults on demand")[2]
    names = [
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([\w.-]+)`", row)
    ]
    assert len(names) == 10
    client = TestClient(FakeProvider(), raise_server_exceptions=False)
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    right = client.post("/v1/chat/completions", json=asked).json()["choices"]
    for name in set(names) - {"hang", "slow-2.5", "cut-mid-stream"}:
        own = asked | {"user": name}  # the same request a second time would be a retry
        answer = client.post("/v1/chat/completions", json=own, headers={"x-fake-fault": name})
        assert answer.status_code >= 400 or b'"usage"' not in answer.content, name
    assert right
