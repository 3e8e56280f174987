"""Where an error came from: its frames, noted where it is caught, and written down later in the recorder.

The traceback itself is not kept: it would keep alive all that the program had at hand in each frame.
"""

import stat
from collections import deque
from types import TracebackType

__all__ = ("Frames", "frames_of", "written")

_MOST_FRAMES, _MOST_ERRORS = 30, 4
"""Of one error, the innermost; and of errors of which one led to the other."""
_MOST_LOOKED_AT = 4 * _MOST_FRAMES
"""Of all frames: around each of an observed function there are some of ours."""
_LONGEST_NAME, _LONGEST_MESSAGE = 200, 1_000
_LARGEST_SOURCE = 4 << 20
_OURS = __file__[: -len("spans/stacks.py")]

Frames = tuple[tuple[str, str, tuple[tuple[str, int, str], ...]], ...]
"""Of each error how it is linked to the one before, its class and message, and its frames: file, line and
function."""


def frames_of(error: BaseException, said: str | None) -> Frames:
    """Those of the error first, then of what it came from.

    Args:
        error: What was raised.
        said: Its message, which only its own code can tell, and was asked for once.
    """
    found: list[tuple[str, str, tuple[tuple[str, int, str], ...]]] = []
    link, at = "", error
    while True:
        words = said if at is error else _said(at)
        found.append((link, _named(at, words or ""), _frames(at.__traceback__)))
        link, after = "cause", at.__cause__
        if after is None and not at.__suppress_context__:
            link, after = "context", at.__context__
        if after is None or after is at or len(found) == _MOST_ERRORS:
            return tuple(found)
        at = after


def written(frames: Frames) -> str:
    """As Python prints it: the innermost frame of the error last, what it came from above."""
    parts = [_of_one(name, its) for _, name, its in frames]
    words = {
        "cause": "The above exception was the direct cause of the following exception:",
        "context": "During handling of the above exception, another exception occurred:",
    }
    text = parts[-1]
    for place in range(len(parts) - 2, -1, -1):
        text += f"\n{words[frames[place + 1][0]]}\n\n{parts[place]}"
    return text


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's that cannot be printed has a name
        return ""


def _named(error: BaseException, said: str) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name[:_LONGEST_NAME]}: {said[:_LONGEST_MESSAGE]}" if said else name[:_LONGEST_NAME]


def _frames(traceback: TracebackType | None) -> tuple[tuple[str, int, str], ...]:
    innermost = deque[TracebackType](maxlen=_MOST_LOOKED_AT)
    while traceback is not None:  # there may be thousands, and as many spans around them
        innermost.append(traceback)
        traceback = traceback.tb_next
    found: list[tuple[str, int, str]] = []
    for at in reversed(innermost):
        code = at.tb_frame.f_code
        if not code.co_filename.startswith(_OURS):
            found.append((code.co_filename, at.tb_lineno or 0, code.co_name))
            if len(found) == _MOST_FRAMES:
                break
    return tuple(reversed(found))


def _of_one(name: str, frames: tuple[tuple[str, int, str], ...]) -> str:
    lines = ["Traceback (most recent call last):"]
    for path, line, function in frames:
        lines.append(f'  File "{path}", line {line}, in {function[:_LONGEST_NAME]}')
        if source := _source(path, line):
            lines.append(f"    {source[:_LONGEST_NAME]}")
    return "\n".join((*lines, f"{name}\n"))


def _source(path: str, line: int) -> str:
    """The line, where it stands in a file: a pipe would wait, and lose what the program reads from it."""
    import linecache
    from pathlib import Path

    if path not in linecache.cache:
        try:
            facts = Path(path).stat()
        except (OSError, ValueError):
            return ""
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST_SOURCE:
            return ""
    return linecache.getline(path, line).strip()
