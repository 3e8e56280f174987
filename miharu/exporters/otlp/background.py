"""Calls that go on in the background after their answer: one call is one span, sent when its end is known."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from miharu.call import Call, changed, ended

__all__ = ("Background", "content_of_body")

MOST = 1_000
"""Calls whose end is waited for, and ends that are remembered."""
LONGEST_S = 3_600.0
"""How long an end is waited for."""
MOST_CONTENT = 4 << 20
"""Bytes of prompts and answers that wait with them."""
_GOING_ON = {"queued", "in_queue", "in_progress", "starting", "processing", "running", "pending"}
"""What formats say of such a call where others say why it ended."""


class Background:
    """Holds what was answered first, and puts it together with the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, Call]] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._content = 0

    def settled(self, call: Call) -> Call | None:
        """The call as it is to be sent; ``None`` while its end is not known, and of an end that was seen."""
        id_ = call.response_id
        if id_ is None or not (call.completes or _goes_on(call)):
            return call
        if id_ in self._ended:
            return None
        if not call.completes:
            self._hold(id_, call)
            return None
        self._ended[id_] = None
        if len(self._ended) > MOST:
            self._ended.popitem(last=False)
        opened = self._let_go(id_)
        if opened is None:
            return call
        return ended(opened, call) if opened.usage.usage_source == "none" else opened

    def left(self, *, all_of_them: bool = False) -> Iterator[Call]:
        """Those whose end has not come in time, or that are too many: as they were answered first."""
        while self._held:
            id_, (since, _) = next(iter(self._held.items()))
            if not all_of_them and len(self._held) <= MOST and self._clock() - since < LONGEST_S:
                return
            if call := self._let_go(id_):
                yield call

    def _hold(self, id_: str, call: Call) -> None:
        self._let_go(id_)
        if self._content + content_of_body(call) > MOST_CONTENT:
            call = changed(call, body=None)
        self._content += content_of_body(call)
        self._held[id_] = self._clock(), call

    def _let_go(self, id_: str) -> Call | None:
        _, call = self._held.pop(id_, (0.0, None))
        self._content -= content_of_body(call) if call else 0
        return call


def content_of_body(call: Call) -> int:
    """Bytes of its prompt and its answer."""
    body = call.body
    return 0 if body is None else len(body.request or b"") + len(body.response or b"")


def _goes_on(call: Call) -> bool:
    return call.outcome.status == "success" and (call.finish_reason or "").lower() in _GOING_ON
