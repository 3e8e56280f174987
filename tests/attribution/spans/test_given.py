"""What spans are given and return: kept as it was, where content is captured, within bounds."""

import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from fractions import Fraction
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

import miharu
from miharu.attribution import records
from miharu.attribution.resolve import span_record
from miharu.attribution.spans.given import LONGEST, as_json, snapshot
from miharu.attribution.spans.span import OpenSpan
from miharu.attribution.spans.stacks import _frames
from miharu.errors import ConfigError
from miharu.holding import Holding
from miharu.recorder.queue import ExchangeQueue


@dataclass
class Order:
    number: int
    lines: list[str]


class Paper(Enum):
    RED = "red"


class Hostile:
    """Whatever is done with it runs code that must not run."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)

    def __repr__(self) -> str:
        raise SystemExit

    __str__ = __iter__ = __len__ = __repr__


@pytest.fixture
def kept() -> Iterator[list[OpenSpan]]:
    left: list[OpenSpan] = []
    sink = left.append
    records.hand_to(sink, content=True)
    yield left
    records.withdraw(sink)


def last(kept: list[OpenSpan]) -> tuple[str | None, str | None]:
    span = span_record(kept[-1], None)
    return span.input, span.output


async def test_arguments_and_results_are_kept_of_each_kind_of_function(kept: list[OpenSpan]) -> None:
    @miharu.observe(kind="tool")
    def find(number: int, *more: str, exact: bool = False) -> Order:
        return Order(number, ["a"])

    @miharu.observe
    async def wait(order: Order) -> None: ...

    @miharu.observe
    def numbers(upto: int) -> Iterator[int]:
        yield from range(upto)

    @miharu.observe
    async def letters(text: str) -> AsyncIterator[str]:
        for letter in text:
            yield letter

    find(7, "x", exact=True)
    assert last(kept) == (
        '{"number": 7, "*args": ["x"], "exact": true}',
        '{"Order": {"number": 7, "lines": ["a"]}}',
    )
    assert kept[-1].kind == "execute_tool"
    await wait(Order(1, []))
    assert last(kept) == ('{"order": {"Order": {"number": 1, "lines": []}}}', "null")
    list(numbers(2))
    assert last(kept) == ('{"upto": 2}', None)
    assert [letter async for letter in letters("ab")] == ["a", "b"]
    assert last(kept) == ('{"text": "ab"}', None)


def test_a_method_is_given_no_self(kept: list[OpenSpan]) -> None:
    class Shop:
        @miharu.observe
        def find(self, number: int) -> str:
            return "x"

        @classmethod
        @miharu.observe
        def open(cls, at: int) -> None: ...

    Shop().find(3)
    assert last(kept) == ('{"number": 3}', '"x"')
    Shop.open(9)
    assert last(kept) == ('{"at": 9}', "null")


def test_what_the_program_changes_afterwards_is_kept_as_it_was(kept: list[OpenSpan]) -> None:
    history: list[Any] = [{"role": "user"}]

    @miharu.observe
    def answer(messages: list[Any]) -> list[Any]:
        messages.append("later")
        messages[0]["role"] = "changed"
        return messages

    answer(history).clear()
    assert last(kept) == ('{"messages": [{"role": "user"}]}', '[{"role": "changed"}, "later"]')


def test_nothing_is_kept_unless_content_is_captured() -> None:
    left: list[OpenSpan] = []
    records.hand_to(left.append)
    with miharu.span("x", kind="agent") as span:
        span.input, span.output = {"a": 1}, 2
    records.hand_to(print)
    records.withdraw(print)
    assert last(left) == (None, None)
    assert (left[0].kind, left[0].held) == ("invoke_agent", 0)


def test_no_code_of_the_program_runs() -> None:
    value, _ = snapshot({"a": Hostile(), "b": [Paper.RED, b"123", 1.5, None], 3: {4}})
    assert as_json(value) == '{"a": "<Hostile>", "b": ["Paper.RED", "<bytes>", 1.5, null], "3": [4]}'


class Zone(tzinfo):
    """One of the program's own."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        pytest.fail("it ran")

    dst = utcoffset

    def tzname(self, _: datetime | None) -> str:
        pytest.fail("it ran")


@dataclass
class Lazy:
    """Its fields are properties, as the columns of an object-relational mapper are."""

    row: int
    parts: list[int]


class Struct(msgspec.Struct):
    a: int
    b: str = "x"


@dataclass(slots=True)
class Slotted:
    a: int
    b: str = "x"


def test_what_an_object_would_load_is_not_asked_for() -> None:
    order = Lazy(1, [2])
    Lazy.row = Lazy.parts = property(lambda _: pytest.fail("a query"))  # type: ignore[assignment]
    assert as_json(snapshot(order)[0]) == '{"Lazy": {"row": 1, "parts": [2]}}'


def test_the_fields_of_structs_and_of_objects_with_slots_are_kept() -> None:
    assert as_json(snapshot(Struct(1))[0]) == '{"Struct": {"a": 1, "b": "x"}}'
    slotted = Slotted(1)
    del slotted.b
    assert as_json(snapshot(slotted)[0]) == '{"Slotted": {"a": 1, "b": null}}'


def test_values_of_python_are_printed_where_no_other_code_prints_them() -> None:
    like = type("Like", (), {"__module__": "datetime", "__str__": lambda _: pytest.fail("printed")})()
    odd = type("Odd", (), {"__module__": Hostile()})()
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    value, _ = snapshot([moment, moment.replace(tzinfo=Zone()), Fraction(1, 3), Fraction(10**9999, 7), like])
    assert value == ["2026-12-01 00:00:00+00:00", "<datetime>", "1/3", "<Fraction>", "<Like>"]
    assert snapshot(odd)[0] == "<Odd>"


def test_a_large_text_is_cut_before_it_is_copied() -> None:
    class Text(str):
        __slots__ = ()

        def __getitem__(self, _: Any) -> str:
            pytest.fail("it ran")

        __len__ = __str__ = __getitem__  # type: ignore[assignment]

    text = Text("x" * 20_000_000)
    tracemalloc.start()
    try:
        value, _ = snapshot(text)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert str(value).rstrip("…") == "x" * LONGEST


def test_numbers_of_more_than_64_bits_are_not_kept() -> None:
    kept, _ = snapshot([2**63 - 1, -(2**63), 2**63, -(2**63) - 1])
    assert kept == [2**63 - 1, -(2**63), "…", "…"]


def test_size_and_time_are_bounded_whatever_is_given() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (
        circle,
        deep,
        ["x" * 10**7] * 1000,
        list(range(10**6)),
        dict.fromkeys(range(10**5), "y" * 999),
    ):
        begin = time.process_time()
        kept, size = snapshot(value)
        assert len(as_json(kept)) < 16_000
        assert size < 2 * LONGEST + 80 * 500
        assert time.process_time() - begin < 0.05
    while isinstance(deep, list):  # or taking it apart recurses
        deep = deep[0]


def test_content_is_shed_before_the_span_is() -> None:
    records.hand_to(print, content=True)
    span = OpenSpan("x")
    span.input = "x" * 5000
    records.withdraw(print)
    assert span.held > 5000
    queue = ExchangeQueue(holding=Holding(2000))
    queue.put_record(span)
    kept = span_record(span, None)
    assert (queue.dropped_records, kept.input, span.held) == (0, None, 0)


def test_a_kind_is_a_word() -> None:
    wrong: list[Any] = ["Tool Call", "", 3]
    for kind in wrong:
        with pytest.raises(ConfigError, match="kind="):
            miharu.observe(kind=kind)
    assert miharu.span("x", kind="retrieval").kind == "retrieval"


def test_a_wrong_kind_of_a_span_harms_no_program(caplog: pytest.LogCaptureFixture) -> None:
    assert miharu.span("x", kind="No Kind!").kind is None
    assert "kind='No Kind!'" in caplog.text


def test_the_traceback_is_kept_with_what_led_to_it(kept: list[OpenSpan]) -> None:
    @miharu.observe
    def read(text: str) -> float:
        return float(text)

    @miharu.observe
    def refund(text: str) -> None:
        try:
            read(text)
        except ValueError as error:
            raise LookupError("rejected") from error

    with pytest.raises(LookupError):
        refund("12,90 €")
    inner, outer = (span_record(span, None).error_stack or "" for span in kept)
    assert inner.startswith("Traceback (most recent call last):\n  File ")
    assert ", in read\n    return float(text)\nValueError: could not convert" in inner
    assert "observe.py" not in inner
    first, _, second = outer.partition("The above exception was the direct cause of the following exception:")
    assert "in read\n" in first
    assert "ValueError: could not convert" in first
    assert second.rstrip().endswith("LookupError: rejected")


def test_of_a_chain_of_errors_four_are_kept(kept: list[OpenSpan]) -> None:
    def fail(depth: int) -> None:
        try:
            if depth:
                fail(depth - 1)
        except ValueError as error:
            raise ValueError(f"error {depth}") from error
        raise ValueError(f"error {depth}")

    with pytest.raises(ValueError, match="error 5"), miharu.span("work"):
        fail(5)
    stack = span_record(kept[-1], None).error_stack or ""
    assert [f"error {depth}" in stack for depth in range(6)] == [False] * 2 + [True] * 4


def test_what_an_error_was_raised_from_is_left_out_where_the_program_does(kept: list[OpenSpan]) -> None:
    def refund() -> None:
        try:
            raise ValueError("not to be shown")
        except ValueError:
            raise LookupError("rejected") from None

    with pytest.raises(LookupError), miharu.span("work"):
        refund()
    stack = span_record(kept[-1], None).error_stack or ""
    assert stack.rstrip().endswith("LookupError: rejected")
    assert "not to be shown" not in stack


def test_an_error_is_asked_once_what_it_says(kept: list[OpenSpan]) -> None:
    asked = []

    class Wordy(Exception):
        def __str__(self) -> str:
            asked.append(self)
            return "so"

    with pytest.raises(Wordy), miharu.span("work"):
        raise Wordy
    assert len(asked) == 1
    assert "Wordy: so\n" in (span_record(kept[-1], None).error_stack or "")


def test_a_pipe_is_not_read_as_source(kept: list[OpenSpan], tmp_path: Path) -> None:
    """Such as the program itself in ``python /dev/stdin`` or ``python <(…)``."""
    pipe = tmp_path / "program.py"
    os.mkfifo(pipe)
    large = tmp_path / "large.py"
    large.write_text("raise ValueError(1)\n" + "#" * (5 << 20))
    stacks: list[str | None] = []
    for path in (pipe, large):
        with pytest.raises(ValueError, match="1"), miharu.span("work"):
            exec(compile("raise ValueError(1)", str(path), "exec"), {})
    writing = Thread(
        target=lambda: stacks.extend(span_record(span, None).error_stack for span in kept), daemon=True
    )
    writing.start()
    writing.join(10)
    for path, stack in zip((pipe, large), stacks, strict=True):
        assert f'File "{path}", line 1, in <module>\nValueError: 1' in (stack or "")


def test_a_traceback_of_a_thousand_frames_is_kept_in_part(kept: list[OpenSpan]) -> None:
    def down(n: int) -> None:
        if not n:
            raise RuntimeError
        down(n - 1)

    with pytest.raises(RuntimeError), miharu.span("deep"):
        down(500)
    stack = span_record(kept[-1], None).error_stack or ""
    assert stack.count("  File ") == 30
    assert "raise RuntimeError" in stack


def test_of_a_stack_of_thousands_of_frames_only_the_innermost_are_looked_at() -> None:
    looked_at: list[None] = []

    class Frame:
        f_code = (lambda: None).__code__

    class Traceback:
        tb_lineno = 1

        def __init__(self, inner: Any) -> None:
            self.tb_next = inner

        @property
        def tb_frame(self) -> Any:
            looked_at.append(None)
            return Frame

    innermost: Any = None
    for _ in range(5000):
        innermost = Traceback(innermost)
    assert len(_frames(innermost)) == 30
    assert len(looked_at) <= 150


def test_what_is_set_again_and_again_is_counted_once(kept: list[OpenSpan]) -> None:
    with miharu.span("work") as span:
        for _ in range(100):
            span.output = "a" * 1000
        span.input = "b" * 1000
    assert span.input == "b" * 1000
    assert 4000 <= span.held < 5000


def test_what_answers_to_any_name_can_be_observed(kept: list[OpenSpan]) -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") and name != "__code__":
                raise AttributeError(name)
            return Proxy()

        def __call__(self, *args: Any) -> int:
            return len(args)

    assert miharu.observe(Proxy())(1, 2) == 2
    assert kept[-1].input == {"*args": [1, 2]}
