"""What ``miharu.capture`` gives: calls in the order of their start."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from miharu.call import Call, ended

__all__ = ("Calls",)


class Calls(Sequence[Call]):
    """Calls in the order of their start. Looked at while they are captured, they are up to date."""

    def __init__(self, look: Callable[[], object] | None = None) -> None:
        self._look = look
        self._found: list[tuple[int, Call]] = []

    def take(self, started: int, call: Call) -> None:
        """Add a call; the end of one that was opened before completes that one."""
        if call.completes:
            for number, (when, opened) in enumerate(self._found):
                if opened.response_id == call.response_id:
                    self._found[number] = (when, ended(opened, call))
                    return
        bisect.insort(self._found, (started, call), key=lambda pair: pair[0])

    def settle(self) -> None:
        """They are complete: looking at them has nothing to wait for any more."""
        self._look = None

    def _all(self) -> list[Call]:
        if self._look is not None:
            self._look()
        return [call for _, call in list(self._found)]

    @property
    def cost_nanousd(self) -> int:
        """What those with a known price cost together."""
        return sum(call.cost.cost_nanousd for call in self._all() if call.cost is not None)

    @property
    def tokens(self) -> int:
        """All that went in and came out, as far as it is known."""
        return sum(
            (call.usage.prompt_tokens or 0) + (call.usage.completion_tokens or 0) for call in self._all()
        )

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Call]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # it changes

    def __repr__(self) -> str:
        return repr(self._all())
