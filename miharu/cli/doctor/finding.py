"""One line of the report."""

from dataclasses import dataclass
from typing import Literal

__all__ = ("Finding", "Mark")

Mark = Literal["ok", "note", "warn", "wrong"]
"""All is well; worth knowing; worth a thought; to be seen to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in plain words."""

    mark: Mark
    text: str
    unseen: str = ""
    """The calls that miharu does not see for that reason."""
