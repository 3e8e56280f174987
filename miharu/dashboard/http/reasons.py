"""Why something is a dash, a guess or a warning: a button that opens a few words, by mouse, touch and key.

The words stand once in a part of a page, however many buttons lead to them; the browser opens them without a
script, and above whatever scrolls.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("Reasons", "begin", "reasons", "why")


@dataclass(slots=True)
class Reasons:
    """Those of one part that is being written."""

    part: str
    section: int = 0
    said: dict[str, str] = field(default_factory=dict)
    """By id: the words that no element holds yet."""


_WRITTEN: ContextVar[Reasons] = ContextVar("reasons")


def begin(part: str) -> None:
    """From here on, the reasons are those of that part."""
    _WRITTEN.set(Reasons(part))


def why(text: object, reason: str, css: str = "") -> "Markup":
    """The text as a button that tells the reason."""
    from markupsafe import Markup

    now = _WRITTEN.get()
    name = f"why-{now.part}-{now.section}-{crc32(reason.encode(errors='replace')):x}"
    now.said[name] = reason
    return Markup('<button class="why{}" type="button" popovertarget="{}" title="{}">{}</button>').format(
        f" {css}" if css else "", name, reason, text
    )


def reasons() -> "Markup":
    """The words of all buttons since the last time; they have to be in the same part of the page as these."""
    from markupsafe import Markup

    now = _WRITTEN.get()
    said, now.said = now.said, {}
    now.section += 1
    return Markup(  # noqa: S704 - escaped
        "".join(
            f'<div class="reason" popover id="{name}">{escape(text)}</div>' for name, text in said.items()
        )
    )
