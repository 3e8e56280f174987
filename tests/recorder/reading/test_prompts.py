"""Which prompt a call has, and which version of it, as a recorder reads it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from miharu import providers
from miharu.attribution.context import Context
from miharu.attribution.stated import Stated
from miharu.call import Call
from miharu.plugins import load
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed
from miharu.recorder.reading import prompts
from miharu.recorder.reading.prompts import NEW_AN_HOUR, VARIES
from miharu.recorder.reading.reader import Reader
from tests.world import exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
ANSWER = b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}'
SYSTEM = "You are the support agent of a small bookshop. Keep replies short, and never promise a refund."


def asked(system: str | None = SYSTEM, question: str = "Hi", **more: Any) -> dict[str, Any]:
    said = [] if system is None else [{"role": "system", "content": system}]
    return {"model": "m", "messages": [*said, {"role": "user", "content": question}], **more}


def reader(*, content: bool = False, redact: Callable[[Any], Any] | None = None) -> Reader:
    return Reader(FORMATS, capture_content=content, redact=redact)


def read(one: Reader, request: object, prompt: object = None, **facts: Any) -> Call:
    context = None if prompt is None else Context(stated=Stated(prompt=prompt))
    call = one.read(exchange(asked=request, chunks=[ANSWER], context=context, **facts))
    assert call is not None
    return call


def test_a_version_is_the_fixed_part_and_nothing_else() -> None:
    one = reader()
    first = read(one, asked())
    assert first.prompt_hash == read(one, asked(question="Another?", temperature=0)).prompt_hash
    assert first.prompt_hash == read(reader(), asked()).prompt_hash  # of any process
    tools = [{"type": "function", "function": {"name": "find"}}]
    others = [read(one, request).prompt_hash for request in (asked(f"{SYSTEM} "), asked(tools=tools))]
    assert len({first.prompt_hash, *others}) == 3
    assert len(first.prompt_hash or "") == 12


def test_the_order_of_keys_is_no_version() -> None:
    one, other = ({"name": "find", "strict": True}, {"strict": True, "name": "find"})
    same = {
        read(reader(), asked(tools=[{"type": "function", "function": each}])).prompt_hash
        for each in (one, other)
    }
    assert len(same) == 1


def test_a_call_without_a_fixed_part_has_neither() -> None:
    call = read(reader(content=True), asked(None))
    assert (call.prompt_name, call.prompt_hash) == (None, None)


def test_without_content_no_word_of_a_prompt_is_kept() -> None:
    call = read(reader(), asked())
    assert call.prompt_hash is not None
    assert call.prompt_name == call.prompt_hash[:8]
    assert not [value for value in vars_of(call) if "bookshop" in str(value)]


def vars_of(call: Call) -> list[object]:
    return [getattr(call, name) for name in Call.__slots__]


def test_with_content_it_is_called_by_its_first_words() -> None:
    call = read(reader(content=True), asked())
    assert call.prompt_name == "You are the support agent of a small bookshop. Keep replies…"


def test_the_program_names_it() -> None:
    call = read(reader(content=True), asked(), prompt="support.answer")
    assert (call.prompt_name, call.prompt_hash) == ("support.answer", read(reader(), asked()).prompt_hash)
    alone = read(reader(), asked(None), prompt="support.answer")
    assert (alone.prompt_name, alone.prompt_hash) == ("support.answer", None)
    assert read(reader(), asked(None), prompt="x" * 5000).prompt_name == "x" * 200


def test_no_credential_is_in_a_name() -> None:
    call = read(reader(content=True), asked(f"Use {SECRET} for the shop."))
    assert SECRET not in str(call)
    assert (call.prompt_name or "").startswith("Use ")
    named = read(reader(), asked(), prompt=f"key {SECRET}")
    assert SECRET not in str(named)


def test_the_programs_own_redaction_holds_for_names() -> None:
    def hide(value: Any) -> Any:
        value["messages"][0]["content"] = "[hidden]"
        return value

    def remove(value: Mapping[str, Any]) -> Any:
        return {"model": value.get("model")}

    def fail(_: Any) -> Any:
        raise ValueError

    assert read(reader(content=True, redact=hide), asked()).prompt_name == "[hidden]"
    for hook in (remove, fail):
        call = read(reader(content=True, redact=hook), asked())
        assert call.prompt_name == (call.prompt_hash or "")[:8]


def test_what_varies_is_a_version_only_so_often() -> None:
    one = reader(content=True)
    stable = read(one, asked())
    made = [read(one, asked(f"It is {second}. Be terse.")) for second in range(NEW_AN_HOUR + 20)]
    told = {call.prompt_hash for call in made}
    assert len(told) == NEW_AN_HOUR  # the stable one took a place, and one stands for all others
    assert made[-1].prompt_hash == made[-1].prompt_name == VARIES
    assert read(one, asked()).prompt_hash == stable.prompt_hash
    assert read(one, asked("It is 9999."), prompt="clock").prompt_name == "clock"


def test_an_hour_later_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "NEW_AN_HOUR", 1)
    one = reader()
    first, second, later = (exchange(asked=asked(f"{number}"), chunks=[ANSWER]) for number in range(3))
    later.timestamp = second.timestamp + 3_600_000
    versions = [call.prompt_hash for each in (first, second, later) if (call := one.read(each))]
    assert versions[1] == VARIES
    assert VARIES not in (versions[0], versions[2])


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "REMEMBERED", 3)
    one = reader()
    for number in range(10):
        read(one, asked(f"{number}"))
    assert len(one._prompts._seen) == 3


class Strange:
    """A plug-in's format, which tells its fixed part, or fails at that."""

    api = "strange"
    rules = (Rule("/strange"),)

    def read(self, wire: Wire) -> Reading | None:
        return Reading(terminated=True)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return Fixed((request["told"],))


def test_a_format_of_the_program_tells_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    one = Reader([Strange()], capture_content=True)
    url = "https://strange.example/strange"
    told = one.read(exchange(url, asked={"told": "Be strange."}, chunks=[b"{}"]))
    assert told is not None
    assert told.prompt_name == "Be strange."
    failed = one.read(exchange(url, asked={"else": 1}, chunks=[b"{}"]))
    assert failed is not None  # it is a call all the same
    assert failed.prompt_hash is None
