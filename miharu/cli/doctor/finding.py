"""One line of the report."""

from dataclasses import dataclass
from typing import Literal

__all__ = ("Finding", "Mark")

Mark = Literal["ok", "note", "warn", "wrong"]
"""In order of severity: well, worth knowing, a warning, an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in plain words."""

    mark: Mark
    text: str
    unseen: str = ""
    """The calls that miharu does not see for that reason."""
