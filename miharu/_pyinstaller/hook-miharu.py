"""What PyInstaller cannot see in ``import miharu``, whose names resolve on first use."""

from importlib.metadata import distributions

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

from miharu.dashboard.http.assets import web

__all__ = ("datas", "hiddenimports")

_GROUPS = ("miharu.providers", "miharu.stores", "miharu.exporters")
_NOT_IN_A_PROGRAM = (
    *("miharu.__main__", "miharu.cli", "miharu.server", "miharu.testing"),
    *("miharu._pyinstaller", "miharu._pytest", "miharu._sitehook"),
)
"""What is imported on use, and not by a program that records; one that imports it by name has it anyway."""
_LAZY = ("aiosqlite", "genai_prices", "jinja2", "msgspec", "sqlalchemy.dialects.sqlite.aiosqlite", "sqlite3")


def _is_for_a_program(module: str) -> bool:
    return not module.startswith(_NOT_IN_A_PROGRAM)


_plugins = [
    (distribution.name, point.module)
    for distribution in distributions()
    for point in distribution.entry_points
    if point.group in _GROUPS
]
datas = [
    (str(web()), "miharu/_web"),  # in a checkout it lies elsewhere
    *collect_data_files("genai_prices"),
]
for name in {name for name, _ in _plugins}:  # they are found by their metadata
    datas += copy_metadata(name)
hiddenimports = [
    *collect_submodules("miharu", filter=_is_for_a_program),
    *_LAZY,
    *(module for _, module in _plugins),
]
