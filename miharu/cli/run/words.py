"""Which words of the command line are miharu's: the options, up to the first word that is none of them."""

from collections.abc import Sequence

__all__ = ("split",)

_WITH_VALUE = ("--database", "--service")


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What comes after ``run``, divided into our options and the program with all that is its own.

    The program begins with a script, an option of Python's (``-m``, ``-c``, ``-X``: they have one dash), or
    ``--``, after which comes a command. A long option before it is ours, or a mistake that is to be named.
    """
    at = 0
    while at < len(words) and words[at].startswith("--") and words[at] != "--":
        at += 2 if words[at] in _WITH_VALUE else 1
    if words[at : at + 1] == ["-h"]:
        at += 1
    return list(words[:at]), list(words[at:])
