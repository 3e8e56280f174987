"""Where the fixed part of a request stands, in each format that is a conversation."""

import time
from typing import Any

import pytest

from miharu.plugins import load
from miharu.providers import BUILT_IN
from miharu.providers.fixed import Fixed, first_words, leading

SYSTEM = "You are terse."
TOOL: dict[str, Any] = {"name": "find", "description": "Finds."}
DECLARED = {"functionDeclarations": [TOOL]}
FUNCTION = {"type": "function", "function": TOOL}
ASKED: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
IN_MESSAGES = {"messages": [{"role": "system", "content": SYSTEM}, *ASKED], "tools": [FUNCTION]}
STRANGE: tuple[Any, ...] = (1, None, [], {}, [1], [None], [[]])
FORMATS: dict[str, Any] = {provider().api: provider() for _, provider in load(BUILT_IN)}


@pytest.mark.parametrize(
    ("api", "request_", "system", "tools"),
    [
        ("openai.chat", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
        ("openai.chat", {"messages": [{"role": "developer", "content": SYSTEM}]}, (SYSTEM,), ()),
        ("openai.chat", {"messages": ASKED, "functions": [TOOL]}, (), (TOOL,)),
        ("openai.responses", {"instructions": SYSTEM, "input": "Hi", "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        ("openai.responses", {"input": [{"role": "developer", "content": SYSTEM}]}, (SYSTEM,), ()),
        (
            "openai.responses",
            {"prompt": {"id": "pmpt_1", "version": "2", "variables": {"day": "Monday"}}},
            ({"id": "pmpt_1", "version": "2"},),
            (),
        ),
        ("openai.assistants", {"instructions": SYSTEM, "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        ("anthropic.messages", {"system": SYSTEM, "messages": ASKED, "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        ("gemini.generate", {"systemInstruction": {"parts": [{"text": SYSTEM}]}}, ({"text": SYSTEM},), ()),
        ("gemini.generate", {"system_instruction": {"parts": [{"text": SYSTEM}]}}, ({"text": SYSTEM},), ()),
        (
            "gemini.generate",
            {"tools": [{"functionDeclarations": [TOOL]}]},
            (),
            ({"functionDeclarations": [TOOL]},),
        ),
        ("gemini.interactions", {"system_instruction": SYSTEM, "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        (
            "bedrock.converse",
            {
                "system": [{"text": SYSTEM}, {"cachePoint": {"type": "default"}}],
                "toolConfig": {"tools": [{"toolSpec": TOOL}]},
            },
            ({"text": SYSTEM},),
            ({"toolSpec": TOOL},),
        ),
        ("bedrock.invoke", {"anthropic_version": "b", "system": SYSTEM, "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        ("bedrock.invoke", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
        ("mistral.conversations", {"instructions": SYSTEM, "tools": [FUNCTION]}, (SYSTEM,), (FUNCTION,)),
        ("cohere.chat", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
        ("cohere.v1.chat", {"preamble": SYSTEM, "message": "Hi", "tools": [TOOL]}, (SYSTEM,), (TOOL,)),
        ("ollama.chat", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
        ("ollama.generate", {"system": SYSTEM, "prompt": "Hi"}, (SYSTEM,), ()),
        ("watsonx.chat", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
        ("writer.chat", IN_MESSAGES, (SYSTEM,), (FUNCTION,)),
    ],
)
def test_it_is_found(api: str, request_: dict[str, Any], system: Any, tools: Any) -> None:
    assert FORMATS[api].fixed(request_) == Fixed(system, tools)


@pytest.mark.parametrize("api", [api for api in FORMATS if hasattr(FORMATS[api], "fixed")])
@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"messages": ASKED, "input": ASKED, "contents": []},
        *(
            dict.fromkeys(
                ("system", "instructions", "preamble", "messages", "input", "prompt", "toolConfig"), value
            )
            for value in STRANGE
        ),
    ],
)
def test_what_is_none_is_nothing_or_what_stands_there(api: str, strange: dict[str, Any]) -> None:
    assert isinstance(FORMATS[api].fixed(strange), Fixed)


def test_marks_for_a_cache_are_no_part_of_it() -> None:
    marked = {"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}
    plain = {"type": "text", "text": SYSTEM}
    read = FORMATS["anthropic.messages"].fixed
    one, other = (
        {"system": [part], "tools": [TOOL | mark]}
        for part, mark in (
            (marked, {"cache_control": {"type": "ephemeral"}}),
            (plain, {}),
        )
    )
    assert read(one) == read(other) == Fixed((plain,), (TOOL,))


def test_what_the_system_says_later_is_no_part_of_it() -> None:
    first = {"role": "system", "content": "a"}
    assert leading([first, *ASKED, {"role": "system", "content": "b"}]) == ("a",)


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        (Fixed(("  You are\n\nterse. ",)), "You are terse."),
        (Fixed(({"type": "text", "text": "You are terse."},)), "You are terse."),
        (Fixed(("word " * 30,)), "word word word word word word word word word word word word…"),
        (Fixed(("x" * 200,)), "x" * 60 + "…"),
        (
            Fixed((), (FUNCTION, {"type": "search"}, {"toolSpec": {"name": "b"}})),
            "tools: find, search, b",
        ),
        (Fixed((), (1,)), None),
    ],
)
def test_a_prompt_begins_with_words(fixed: Fixed, words: str | None) -> None:
    assert first_words(fixed) == words


def test_any_number_of_messages_is_read_once() -> None:
    messages = [{"role": "system", "content": "a"}] * 100_000
    before = time.process_time()
    assert len(leading(messages)) == 100_000
    assert time.process_time() - before < 1


def test_a_role_may_be_anything() -> None:
    assert leading([{"role": "system", "content": "a"}, {"role": ["system"], "content": "b"}]) == ("a",)
