import logging
import threading

import pytest

from miharu.plugins import BuiltIn
from miharu.providers.known_rules import KNOWN_RULES
from miharu.providers.on_use import OnUse
from tests.wire.test_streams import wire

CHAT = "miharu.providers.openai.completions.chat:OpenAIChat"
ANSWER = (
    b'{"object":"chat.completion","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
)


def made(target: str) -> tuple[OnUse, threading.RLock]:
    held = threading.RLock()
    return OnUse(
        BuiltIn("openai.chat", target, "miharu.providers"), KNOWN_RULES["openai.chat"], lambda: held
    ), held


def test_stands_for_the_format() -> None:
    chat, _ = made(CHAT)
    reading = chat.read(wire(ANSWER, provider="openai", path="/v1/chat/completions"))
    assert reading is not None
    assert reading.model == "m"
    assert chat.api == "openai.chat"
    assert chat.rules == KNOWN_RULES["openai.chat"]


def test_a_format_that_cannot_be_imported_reads_nothing_and_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, _ = made("miharu.providers.nowhere:Nothing")
    with caplog.at_level(logging.WARNING, "miharu"):
        assert broken.read(wire(ANSWER)) is None
        assert broken.read(wire(ANSWER)) is None
    assert broken.api == "openai.chat"
    assert [record.message.partition(" could")[0] for record in caplog.records] == [
        "miharu: the plugin 'openai.chat' of miharu.providers"
    ]


def test_a_fork_waits_for_the_import() -> None:
    chat, held = made(CHAT)
    taken = threading.Event()
    reading = threading.Thread(target=lambda: (taken.wait(30), chat.read(wire(ANSWER))))
    with held:
        reading.start()
        taken.set()
        reading.join(0.2)
        assert reading.is_alive()
    reading.join(30)
    assert not reading.is_alive()
