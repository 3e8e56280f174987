from miharu.analysis.trees import forest, overlapping, walk, weigh
from miharu.batch import Span
from miharu.call import Call, Outcome

TRACE = "t" * 32


def span(id: str, parent: str | None = None, at: int = 0) -> Span:
    return Span(
        id=id, trace_id=TRACE, name=id, timestamp=at, duration_ms=5, status="success", parent_id=parent
    )


def call(id: str, parent: str | None = None, at: int = 0) -> Call:
    return Call(id=id, timestamp=at, api="x", outcome=Outcome(status="success"), parent_id=parent)


def drawn(*, calls: list[Call], spans: list[Span]) -> list[tuple[int, str]]:
    return [
        (depth, node.span.id if node.span else node.call.id if node.call else "")
        for depth, node in walk(forest(calls, spans))
    ]


def test_puts_calls_inside_their_spans_in_order_of_time() -> None:
    assert drawn(
        calls=[call("c1", "agent", 1), call("c2", "tool", 4), call("alone", at=9)],
        spans=[span("agent"), span("tool", "agent", 3)],
    ) == [(0, "agent"), (1, "c1"), (1, "tool"), (2, "c2"), (0, "alone")]


def test_takes_what_names_an_absent_parent_for_a_root() -> None:
    assert drawn(calls=[call("c", "elsewhere", 2)], spans=[span("s", "otel")]) == [(0, "s"), (0, "c")]


def test_loses_nothing_to_spans_that_name_each_other() -> None:
    """Whoever wrote them was wrong; they are shown all the same, and it ends."""
    found = drawn(calls=[call("c", "a")], spans=[span("a", "b"), span("b", "a"), span("c1", "c1")])
    assert sorted(id for _, id in found) == ["a", "b", "c", "c1"]


def test_does_not_fall_over_a_chain_of_thousands() -> None:
    chain = [span(str(n), str(n - 1) if n else None, n) for n in range(3000)]
    assert [depth for depth, _ in drawn(calls=[], spans=chain)] == list(range(3000))


def test_what_ran_between_two_moments_is_kept_with_what_it_lies_in() -> None:
    trees = forest(
        [call("c1", "b", 1), call("c2", "b", 50)],
        [span("a"), span("b", "a"), span("c", "a", 50), span("d", None, 90)],
    )
    weigh(trees)
    left = overlapping(trees, 40, 60)
    assert [(depth, node.id) for depth, node in walk(left)] == [(0, "a"), (1, "b"), (2, "c2"), (1, "c")]
    assert (left[0].number_of_calls, left[0].number_of_steps) == (1, 3)
    assert all(inner.outer is node for _, node in walk(left) for inner in node.inner)
    assert (trees[0].number_of_calls, len(list(walk(trees)))) == (2, 6)  # as it was
    assert [node.id for node in overlapping(trees, 5, 6)] == ["a"]  # it ended then
    assert overlapping(trees, 6, 50) == []


def test_counts_the_calls_inside() -> None:
    [root] = forest([call("c1", "b"), call("c2", "a")], [span("a"), span("b", "a")])
    assert sorted(one.id for one in root.calls) == ["c1", "c2"]
