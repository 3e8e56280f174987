"""``miharu.context``: to whom the calls belong that are made from here on."""

import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any

from miharu._guard import misused, say_once, swallowed
from miharu.attribution.context import EMPTY, Block, Context, Origin, current, hold_in, hold_no_more, put
from miharu.attribution.stated import NOTHING, Stated

__all__ = ("Scoped", "context")

_IN_GENERATORS = 0x20 | 0x200
"""``inspect.CO_GENERATOR`` and ``CO_ASYNC_GENERATOR``; to import that module takes too long."""

_SERVERS = frozenset(
    ("flask", "django", "gunicorn", "waitress", "cherrypy", "bottle", "werkzeug.serving", "tornado.web")
)
"""Modules of programs that may answer requests in their main thread, without ASGI."""


class Scoped:
    """What ``miharu.context`` gives: said already, and taken back at the end of a block if used as one."""

    __slots__ = ("_entered", "_held", "_stated", "_undo")

    def __init__(self, stated: Stated) -> None:
        self._stated = stated
        self._entered: list[Block] = []
        self._held: list[tuple[FrameType, Context | None] | None] = []
        self._undo: tuple[Origin | None, Stated, Context | None, Context | None] | None = None

    def say(self) -> None:
        """Say it for the rest of the request or job, or of the current context where there is none."""
        here = current() or EMPTY
        origin, before, after = here.origin, NOTHING, here
        if origin is not None:
            before = origin.stated
            origin.stated = before.merged_with(self._stated)
        # right in the request's own block, what the origin says is all there is
        if origin is None or here.block is None or not here.block.begins:
            after = replace(here, stated=here.stated.merged_with(self._stated))
            put(after)
        self._undo = (origin, before, None if here is EMPTY else here, after)

    def __del__(self) -> None:
        """Warn where it was used without a block outside of a request, on a thread that may serve others."""
        if self._undo is None or self._undo[0] is not None:
            return
        if (self._stated.user is not None or self._stated.session is not None) and _serves():
            say_once(
                "miharu.context(user=…) was called plainly outside of a request, so it holds for the rest of "
                "this thread or task. Where requests are served without miharu's middleware, the next "
                "visitor would be the same user: write `with miharu.context(user=…):` there."
            )

    def _unsay(self) -> None:
        """A block begins: what was said for the rest is said for the block alone."""
        if self._undo is None:
            return
        (origin, before, here, after), self._undo = self._undo, None
        if origin is not None:
            origin.stated = before
        if current() is after and after is not here:
            put(here)

    def __enter__(self) -> None:
        self._begin(sys._getframe(1))  # noqa: SLF001 - CPython's, and the only way to it

    def _begin(self, frame: FrameType) -> None:
        try:
            self._unsay()
            here, block = current() or EMPTY, Block()
            inside = replace(here, stated=here.stated.merged_with(self._stated), block=block)
            block.enter(inside)
            self._entered.append(block)
            yields = frame.f_code.co_flags & _IN_GENERATORS
            self._held.append((frame, hold_in(frame, inside)) if yields else None)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("miharu.context()")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._entered:
            self._entered.pop().leave()
        if self._held and (held := self._held.pop()):
            hold_no_more(*held)

    async def __aenter__(self) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - as above
        self._begin(frame)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def context(
    *,
    user: object = None,
    session: object = None,
    tags: Mapping[str, str] | None = None,
    route: str | None = None,
    prompt: str | None = None,
) -> Scoped:
    """Say to whom the calls belong that are made from here on.

    As a block, ``with miharu.context(user="ann"):`` or ``async with``, it holds for the block. Called plainly
    it holds for the rest of the web request or job, wherever its code runs; outside of both, for the rest of
    the current task, thread or script. What is said inside adds to what was said outside.

    Args:
        user: Stored as ``user_id``.
        session: Stored as ``session_id``.
        tags: Names and values of your own. Anything else is logged and left out; nothing is raised here.
        route: Stored as ``route`` instead of the route or the name that miharu finds.
        prompt: Stored as ``prompt_name``: what the prompt is called, whichever version of it is sent.
    """
    scoped = Scoped(NOTHING)
    try:
        stated = Stated(user=user, session=session, route=route, prompt=prompt, tags=_names_and_values(tags))
        scoped = Scoped(stated)
        scoped.say()
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("miharu.context()")
    return scoped


def _serves() -> bool:
    """Whether the thread may serve one visitor after another."""
    on_the_side = threading.current_thread() is not threading.main_thread()
    return on_the_side or not _SERVERS.isdisjoint(sys.modules)


def _names_and_values(tags: object) -> dict[Any, Any]:
    if tags is None or isinstance(tags, Mapping):
        return dict(tags or {})
    misused(
        "context(tags=)",
        f"miharu.context(tags={tags!r:.200}): give names and values, such as tags={{'team': 'search'}}; "
        "these tags are left out.",
    )
    return {}
