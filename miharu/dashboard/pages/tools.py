"""The tools: what models ask for, and what became of it."""

from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tools import file, table

__all__ = ("SCREEN", "file")

SCREEN = Screen(
    path="tools",
    template="pages/tools.html",
    panels=(Panel(path="tools-table", template="panels/tools.html", facts=table),),
)
