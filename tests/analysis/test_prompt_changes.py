"""What is different between two versions of a prompt."""

import json
from typing import Any

from miharu.analysis.prompt_changes import LINES, SHOWN, change, fixed_part
from miharu.call import Body, Call, Outcome
from miharu.providers.fixed import Fixed


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def test_lines_and_tools_are_named() -> None:
    before = Fixed(("a\nb\nc\nd",), (tool("find"), tool("gone"), tool("same")))
    after = Fixed(("a\nB\nc\nd\ne",), (tool("find", strict=True), tool("same"), tool("new")))
    found = change(before, after)
    assert (found.lines, found.added, found.removed, found.altered) == (2, ["new"], ["gone"], ["find"])
    told = [(line.kind, line.text) for line in found.shown]
    assert told[:5] == [("same", "a"), ("out", "b"), ("in", "B"), ("gap", ""), ("same", "d")]
    assert ("in", "e") in told
    assert ("gap", "tool find") in told
    assert any(kind == "in" and '"strict": true' in text for kind, text in told)


def test_parts_in_another_order_are_no_lines() -> None:
    found = change(Fixed(("a", "b"), (tool("x"), tool("y"))), Fixed(("a\nb",), (tool("y"), tool("x"))))
    assert (found.lines, found.added, found.removed, found.altered, found.shown) == (0, [], [], [], [])


def test_no_more_is_compared_and_shown_than_a_page_holds() -> None:
    before, after = (Fixed(("\n".join(f"{word}{i}" for i in range(50_000)),)) for word in ("a", "b"))
    found = change(before, after)
    assert found.lines == LINES
    assert (len(found.shown), found.left_out) == (SHOWN, 2 * LINES - SHOWN)
    long = change(Fixed(("x" * 9999,)), Fixed(("y",)))
    assert len(long.shown[0].text) == 501


def test_it_is_read_from_a_captured_call() -> None:
    def call(request: object, api: str = "openai.chat") -> Call:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        return Call(
            id="1",
            timestamp=1,
            api=api,
            outcome=Outcome(status="success"),
            body=Body(request=body, response=b""),
        )

    asked = {"messages": [{"role": "system", "content": "Be terse."}]}
    assert fixed_part(call(asked)) == Fixed(("Be terse.",))
    assert fixed_part(call(asked, "a.gateway")) == Fixed(("Be terse.",))  # by its shape
    for strange in (b"", b"{", b"[]", {}, {"messages": 7}):
        assert fixed_part(call(strange)) is None
