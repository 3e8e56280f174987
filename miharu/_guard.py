"""The one guard around our code on the user's path.

Every exception there is swallowed, counted, and said once, calmly. Tests switch it off, so that a
mistake of ours fails them instead of hiding.
"""

import logging
import os

from miharu.redaction.logs import watch_log

__all__ = ("count", "failures", "misused", "say_once", "swallowed")

logger = logging.getLogger("miharu")
watch_log()  # here, because this module is imported before anything is logged

_failures = 0
_said: set[str] = set()


def swallowed(where: str) -> None:
    """Account for the exception being handled; call it inside ``except Exception``."""
    global _failures  # noqa: PLW0603 - one number for the process
    if os.environ.get("MIHARU_UNGUARDED"):
        raise  # noqa: PLE0704 - the caller is handling it
    _failures += 1
    if where not in _said:
        _said.add(where)
        logger.warning(
            "miharu: %s failed; your program is not affected, what the dashboard shows may be incomplete.",
            where,
            exc_info=True,  # noqa: LOG014 - the caller is handling it
        )


def say_once(message: str, *arguments: object) -> None:
    """Log a warning, unless it was logged in this process before."""
    text = message % arguments
    if text not in _said:
        _said.add(text)
        logger.warning("miharu: %s", text)


def misused(what: str, message: str) -> None:
    """Say once that the program has called us with an argument that is not valid.

    It is for calls on the program's path, which never raise: what can be understood of them holds.

    Args:
        what: The function and its argument, such as ``context(tags=)``.
        message: Names the value and the remedy.
    """
    if what not in _said:
        _said.add(what)
        logger.warning("miharu: %s Your program is not affected.", message)


def count() -> None:
    """Count a failure that was said elsewhere."""
    global _failures  # noqa: PLW0603 - one number for the process
    _failures += 1


def failures() -> int:
    """How many exceptions were swallowed in this process."""
    return _failures
