"""The one plugin loader. Built-ins come in through the same door as third parties.

A plugin is an entry point in one of the groups ``miharu.providers``, ``miharu.stores`` and
``miharu.exporters``. It is imported on use; one that fails is named in the log, and the others go on.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

__all__ = ("built_in", "installed", "load")

logger = logging.getLogger("miharu")


def built_in(group: str, targets: Mapping[str, str]) -> tuple[EntryPoint, ...]:
    """The entry points that miharu brings itself, without a search through installed packages."""
    return tuple(EntryPoint(name, target, group) for name, target in targets.items())


def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of other packages. It reads their metadata, so it is the worker's to call."""
    return tuple(entry_points(group=group))


def load(points: Iterable[EntryPoint]) -> Iterator[tuple[str, Any]]:
    """Import each, in order; one that fails is logged by name and left out."""
    for point in points:
        try:
            yield point.name, point.load()
        except Exception as error:  # noqa: BLE001 - a broken plugin must not take the others with it
            logger.warning(
                "miharu: the plugin %r of %s could not be loaded: %s", point.name, point.group, error
            )
