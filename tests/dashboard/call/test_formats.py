"""Calls in a plug-in's wire format are laid out as messages, by the plug-in."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from miharu.call import Body, Call, Outcome
from miharu.providers import BUILT_IN
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.bodies import formats
from miharu.providers.messages import Message, Said, Tells, message, text_part
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio


class Acme:
    """As another package would write it."""

    api = "acme.talk"
    rules = (Rule("/v1/talk"),)

    def read(self, wire: Wire) -> Reading | None:
        return Reading(terminated=bool(wire.answered))

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
        return Said(
            asked=[message("visitor", [text_part(request["says"])])],
            answered=self._told(answers),
            tools=["lever", "pulley"],
        )

    def _told(self, answers: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
        yield message("anvil", [text_part("".join(one["piece"] for one in answers))])


class Mute:
    api = "acme.talk"
    rules = Acme.rules

    def read(self, wire: Wire) -> Reading | None:
        return None


CALL = Call(
    id="a",
    timestamp=NOW - 60_000,
    api="acme.talk",
    provider="acme",
    duration_ms=5,
    outcome=Outcome(status="success", http_status=200),
    body=Body(
        request=json.dumps({"says": "Is it <heavy>?"}).encode(),
        response=b'data: {"piece": "It"}\n\ndata: {"piece": " falls."}\n\n',
    ),
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    formats._installed.cache_clear()
    yield
    formats._installed.cache_clear()


class Installed:
    name, group = "talk", "miharu.providers"

    def load(self) -> type[Acme]:
        return Acme


async def shown(**facts: Any) -> str:
    page = await get(make_site(MemoryStore([CALL]), **facts), "calls", sel="a")
    assert page.status == 200
    return page.body.decode()


def is_laid_out(body: str) -> bool:
    parts = ("Visitor", "Is it &lt;heavy&gt;?", "Anvil", "It falls.", "pulley")
    return all(part in body for part in parts)


async def test_one_that_the_program_has_brought() -> None:
    assert is_laid_out(await shown(formats=[Acme()]))
    assert is_laid_out(await shown(formats=[Mute(), Acme()]))


async def test_one_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_laid_out(await shown())
    formats._installed.cache_clear()
    monkeypatch.setattr(formats, "installed", lambda group: (Installed(),))
    assert is_laid_out(await shown())


async def test_one_without_messages_is_shown_as_before() -> None:
    assert await shown(formats=[Mute()]) == await shown()


async def test_one_that_fails_is_shown_raw() -> None:
    class Broken(Acme):
        def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
            raise KeyError(request["says"])

    body = await shown(formats=[Broken()])
    assert not is_laid_out(body)
    assert "Whole request" in body


def test_the_programs_own_comes_before_ours() -> None:
    class Ours(Acme):
        api = "openai.chat"

    own = Ours()
    assert formats.format_of("openai.chat", [own]) is own
    assert type(formats.format_of("openai.chat")).__name__ == "OpenAIChat"
    assert formats.format_of("openai.embeddings") is None


def test_no_call_is_recorded_with_it() -> None:
    """What lays messages out is imported when a person opens a call."""
    code = (
        "import sys; from miharu import plugins, providers;"
        "made = [make() for _, make in plugins.load(providers.BUILT_IN)];"
        "assert len(made) > 40;"
        "print([name for name in sys.modules if name.startswith('miharu')"
        " and name.endswith(('messages', '_conversation')) and 'anthropic.messages' not in name])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert sum(isinstance(point.load()(), Tells) for point in BUILT_IN) == 11
