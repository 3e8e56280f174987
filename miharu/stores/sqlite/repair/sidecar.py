"""Small JSON files beside the database: whole or not there, and readable by the owner alone.

Their content is checked before it is used, for a file may be damaged, or be another's.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

from miharu._guard import say_once
from miharu.files.private import clear
from miharu.files.private import read as read_file
from miharu.files.private import replace as replace_file

__all__ = ("read", "write")

T = TypeVar("T")

_LONGEST = 1 << 16


def write(path: Path, facts: dict[str, Any]) -> None:
    """Put it there, in the place of what was.

    Raises:
        OSError: It cannot be written.
    """
    content = json.dumps(facts).encode()
    try:
        replace_file(path, content)
    except IsADirectoryError:
        clear(path)
        replace_file(path, content)


def read(path: Path, kind: type[T]) -> T | None:
    """Its content, as that type; ``None`` where there is no file, or it is not valid (logged once)."""
    import msgspec

    try:
        return msgspec.json.decode(read_file(path, _LONGEST), type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        say_once("%s %s: it is not read.", path, error.strerror)
    except (ValueError, RecursionError):  # msgspec's own exceptions are among the first
        say_once("%s is not valid: it is not read.", path)
    return None
