"""What an app answers by WSGI, with each of its steps made in the context of its request.

An answer whose steps are made already goes to the server as it is: a list, of which some servers look at the
length, and a file, which some send without reading it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from miharu.attribution.stepping import Stepping

__all__ = ("in_steps",)


def in_steps(
    answer: Iterable[bytes], environ: Mapping[str, Any], stepping: Stepping, ended: Callable[[], None]
) -> Iterable[bytes]:
    """The answer for the server.

    Args:
        answer: The app's.
        environ: Of the request.
        stepping: Its context.
        ended: Called when the request has ended, maybe more than once.
    """
    if type(answer) in (list, tuple) or _is_file(answer, environ) or not hasattr(answer, "__iter__"):
        ended()
        return answer
    kind = _Sized if hasattr(answer, "__len__") else _Steps
    return kind(answer, stepping, ended)


def _is_file(answer: object, environ: Mapping[str, Any]) -> bool:
    """Whether it is what the server's ``wsgi.file_wrapper`` gives; uWSGI's gives back the file itself."""
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return False
    return isinstance(answer, wrapper) if isinstance(wrapper, type) else hasattr(answer, "read")


class _Steps:
    """An answer as the server sees it: the app's own, but for the context that it runs in."""

    __slots__ = ("_answer", "_closed", "_ended", "_over", "_stepping", "_steps")

    def __init__(self, answer: Iterable[bytes], stepping: Stepping, ended: Callable[[], None]) -> None:
        self._answer = answer
        self._stepping = stepping
        self._ended = ended
        self._steps: Iterator[bytes] | None = None
        self._over = self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._steps is None:
                self._steps = self._stepping.run(iter, self._answer)
            return self._stepping.run(next, self._steps)
        except BaseException:
            self._over = True  # with StopIteration, too
            self._ended()
            raise

    def close(self) -> None:
        """Close the app's answer. Before its end, that means that the visitor has gone."""
        if self._closed:
            return
        self._closed = True
        if not self._over:
            self._stepping.leave()
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                self._stepping.run(close)
        finally:
            self._ended()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)


class _Sized(_Steps):
    """One that tells how many steps it has."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._answer)  # type: ignore[arg-type] # it was looked at before
