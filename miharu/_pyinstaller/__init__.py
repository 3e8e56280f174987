"""What PyInstaller packs with a program that imports miharu; an entry point leads it here.

hook-miharu.py  modules that are imported on use, the dashboard's files, plug-ins of other packages
"""

from pathlib import Path

__all__ = ("folders",)


def folders() -> list[str]:
    """The folders with hooks."""
    return [str(Path(__file__).absolute().parent)]
