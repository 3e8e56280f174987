"""What a type checker has to refuse: each line has its mistake, and a checker that finds none there says so.

It is read by checkers and never run.
"""

import miharu


def needs_two(scope: object, user: object) -> bool:
    return scope is user


miharu.init(service=7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.init(capture_content="yes")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.init(budgets=[10])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
miharu.init(exporters=[object()])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
miharu.asgi(auth="on")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.asgi(auth=needs_two)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.context(tags=["team"])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.Budget(10, "week")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.Budget(10, each="team")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.span(print)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.flush("5")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.score(7, "helpful", 1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
miharu.BudgetExceeded("no")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
miharu.stats()["calls"]  # type: ignore[typeddict-item] # pyright: ignore[reportGeneralTypeIssues]
print(
    miharu.nonsense  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
)
