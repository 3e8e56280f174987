"""Small JSON files beside the database: whole or not there, and readable by the owner alone."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ("read", "write")

_LONGEST = 1 << 16


def write(path: Path, facts: dict[str, Any]) -> None:
    """Put it there, in the place of what was.

    Raises:
        OSError: It cannot be written.
    """
    draft = Path(f"{path}.new-{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(facts, file)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()


def read(path: Path) -> dict[str, Any] | None:
    """What it says; ``None`` where there is none, or none that makes sense."""
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(_LONGEST))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None
