"""Which tools ran, as the conversation tells it: an answer asks for one, a later request brings its result.

So a tool that nobody observes is known to have run. Whether it failed is known where the format has a word
for that, and is never guessed from a text. It took at most the time between the answer and that request.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from typing import Any

from miharu._guard import swallowed
from miharu.batch import RECOGNISED, TOOL, UNTOLD, Span
from miharu.call import Call
from miharu.providers.messages import Part, Tells
from miharu.providers.results import Result, results_in
from miharu.recorder.reading.tool_names import LONGEST_NAME

__all__ = ("ToolRuns",)

REMEMBERED = 10_000
"""Tools whose result has not come, those asked for last; each is known by its trace, and most without."""
FAILED = "tool_error"
"""The kind of error of a tool that failed: its result says no other."""
_LISTS = ("messages", "contents", "input")
"""Where the formats have the messages of a request."""
_OF_MODEL = ("assistant", "model")
_MOST, _LONGEST_ID = 64, 200
"""Messages after the model's last one that are looked at, and characters of an id."""
_ROUNDED_MS = 5
"""By which the instants of a call and of a span may be off."""
_OWN = 500
"""Names of tools that the program records itself."""

_Key = tuple[str, str | None]
"""What tells the call of a tool from others, and the trace that it was made in."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A tool that an answer asked for."""

    name: str
    call: str
    ended: int
    """When the answer had come, in Unix milliseconds."""
    outer: str | None
    """The trace of the request, job or span that the call was made in, if it was made in one."""
    place: Mapping[str, str | None]
    """The trace of the call, and whose it was; the same object for all tools of an answer."""


class ToolRuns:
    """Remembers what was asked for until its result comes: a result counts once, however often it is sent."""

    def __init__(self) -> None:
        self._asked: OrderedDict[_Key, _Asked] = OrderedDict()
        self._own: OrderedDict[str, int] = OrderedDict()
        """When a tool that the program records itself ended last, by its name."""

    def told_by(
        self,
        call: Call,
        outer: str | None,
        asked: Iterable[Part],
        request: Mapping[str, Any],
        teller: Tells | None,
    ) -> Sequence[Span]:
        """The runs whose results a request brings; what its answer asks for is remembered.

        Args:
            call: As it is stored.
            outer: The trace that it was made in, if it was made in one.
            asked: The calls of tools in its answer.
            request: Its JSON object.
            teller: What lays out the messages of its format, if that can be done.
        """
        try:
            found = list(self._results(call, outer, request, teller)) if self._asked else []
        except Exception:  # noqa: BLE001 - a request that is made to be unreadable, or a plug-in's format
            swallowed(f"reading which results of tools a request brings as {call.api}")
            found = []
        place = None
        for part in asked:
            place = place or _place(call)
            self._remember(
                part, _Asked(_name(part), call.id, call.timestamp + call.duration_ms, outer, place)
            )
        return found

    def recorded(self, span: Span) -> None:
        """Note a run that the program has recorded itself: it is not made out a second time."""
        if span.is_tool:
            ended = max(self._own.pop(span.name, 0), span.timestamp + span.duration_ms)
            self._own[span.name] = ended
            if len(self._own) > _OWN:
                self._own.popitem(last=False)

    def _remember(self, part: Part, asked: _Asked) -> None:
        name = _id(part)
        # A result without an id finds its call by what was said, which others may say, too: not elsewhere.
        for outer in {asked.outer, None if part.id else asked.outer}:
            known = self._asked.pop((name, outer), None)
            if known is None or known.call == asked.call:  # else a result might be that of either
                self._asked[name, outer] = asked
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)

    def _results(
        self, call: Call, outer: str | None, request: Mapping[str, Any], teller: Tells | None
    ) -> Iterator[Span]:
        for number, (result, name) in enumerate(_brought(request, teller)):
            asked = self._taken(name, outer, call)
            if asked is None or self._own.get(asked.name, 0) >= asked.ended - _ROUNDED_MS:
                continue
            yield _span(asked, result, call, number)

    def _taken(self, name: str, outer: str | None, call: Call) -> _Asked | None:
        """What was asked for by that name: here, or elsewhere by the same user in the same session."""
        asked = self._asked.get((name, outer)) or self._asked.get((name, None))
        if asked is None or (asked.outer != outer and _is_of_another(asked, call)):
            return None
        if asked.ended > call.timestamp + _ROUNDED_MS:  # it cannot be its result
            return None
        for key in ((name, asked.outer), (name, None)):
            if self._asked.get(key) is asked:
                del self._asked[key]
        return asked


def _place(call: Call) -> Mapping[str, str | None]:
    return {
        "trace_id": call.trace_id,
        "parent_id": call.parent_id,
        "service": call.service,
        "route": call.route,
        "user_id": call.user_id,
        "session_id": call.session_id,
    }


def _is_of_another(asked: _Asked, call: Call) -> bool:
    return any(
        None not in {asked.place[name], value} and asked.place[name] != value
        for name, value in (("user_id", call.user_id), ("session_id", call.session_id))
    )


def _name(part: Part) -> str:
    return part.name[:LONGEST_NAME]


def _id(part: Part) -> str:
    """What a call of a tool is known by: its id, or in a format without ids what was said."""
    return part.id[:_LONGEST_ID] or f"\0{_name(part)}\0{hash(part.text)}"


def _brought(request: Mapping[str, Any], teller: Tells | None) -> Iterator[tuple[Result, str]]:
    """The results since the model's last message, each with what its call is known by."""
    where, items, before = _last_messages(request)
    calls: list[Part] | None = None
    for result in chain.from_iterable(map(results_in, items)):
        if result.id:
            yield result, result.id[:_LONGEST_ID]
            continue
        if calls is None:
            said = teller.messages({where: before}, ()).asked if teller is not None and before else ()
            calls = [part for message in said for part in message.parts if part.kind == "call"]
        call = next((one for one in calls if one.name == result.name or not result.name), None)
        if call is not None:
            calls.remove(call)
            yield result, _id(call)


def _last_messages(request: Mapping[str, Any]) -> tuple[str, list[Any], list[Any]]:
    """The name of their list, those after the model's last one, and that one."""
    where = next((name for name in _LISTS if isinstance(request.get(name), list)), "")
    found: list[Any] = []
    for item in islice(reversed(request.get(where) or ()), _MOST):
        if not isinstance(item, dict):
            break
        if item.get("role") in _OF_MODEL:
            return where, found[::-1], [item]
        found.append(item)
    return where, found[::-1], []


def _span(asked: _Asked, result: Result, call: Call, number: int) -> Span:
    made = blake2b(f"{asked.call}\0{call.id}\0{number}".encode(), digest_size=8)
    tags = {RECOGNISED: call.call_group or call.id}
    return Span(
        id=made.hexdigest(),
        name=asked.name,
        timestamp=asked.ended,
        duration_ms=max(0, call.timestamp - asked.ended),
        status="error" if result.failed else "success",
        error_type=FAILED if result.failed else None,
        kind=TOOL,
        tags=tags | {UNTOLD: "yes"} if result.failed is None else tags,
        **asked.place,  # type: ignore[arg-type] # a call that is placed has a trace
    )
