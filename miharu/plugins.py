"""The one plugin loader. Built-ins come in through the same door as third parties.

A plugin is an entry point in one of the groups ``miharu.providers``, ``miharu.stores`` and
``miharu.exporters``. It is imported on use; one that fails is named in the log, and the others go on.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Protocol

__all__ = ("BuiltIn", "Loadable", "built_in", "installed", "load")

logger = logging.getLogger("miharu")


class Loadable(Protocol):
    """An entry point, as ``importlib.metadata`` has it."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    def load(self) -> Any: ...


class BuiltIn:
    """An entry point that miharu brings itself."""

    __slots__ = ("group", "name", "value")

    def __init__(self, name: str, value: str, group: str) -> None:
        self.name = name
        self.value = value
        self.group = group

    @property
    def module(self) -> str:
        return self.value.partition(":")[0]

    def load(self) -> Any:
        return getattr(import_module(self.module), self.value.partition(":")[2])


def built_in(group: str, targets: Mapping[str, str]) -> tuple[BuiltIn, ...]:
    """The entry points that miharu brings itself, without a search through installed packages."""
    return tuple(BuiltIn(name, target, group) for name, target in targets.items())


def installed(group: str) -> tuple[Loadable, ...]:
    """The entry points of other packages. It reads their metadata, so it is the worker's to call."""
    if not _may_have(group):
        return ()
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def _may_have(group: str) -> bool:
    """Whether a package may bring some: to import what knows for sure takes longer than to read one call.

    It does not look into archives, nor for packages that are found in another way than by ``sys.path``.
    """
    others = (finder for finder in sys.meta_path if finder is not PathFinder)
    return any(hasattr(finder, "find_distributions") for finder in others) or any(
        _may_hold(Path(entry or "."), f"[{group}]".encode()) for entry in sys.path
    )


def _may_hold(folder: Path, section: bytes) -> bool:
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where a user may not look
        return os.path.isfile(folder)  # noqa: PTH113
    try:
        about = [each for each in folder.iterdir() if each.name.lower().endswith((".dist-info", "egg-info"))]
    except OSError:
        return False
    return any(section in _read(each / "entry_points.txt") for each in about)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def load(points: Iterable[Loadable]) -> Iterator[tuple[str, Any]]:
    """Import each entry point, in order; one that fails is logged by name and left out."""
    for point in points:
        try:
            yield point.name, point.load()
        except Exception as error:  # noqa: BLE001 - a broken plugin must not take the others with it
            logger.warning(
                "miharu: the plugin %r of %s could not be loaded: %s", point.name, point.group, error
            )
