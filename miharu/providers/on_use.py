"""Built-in formats that are imported with the first call that they may have to read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from miharu import plugins
from miharu.plugins import Loadable
from miharu.providers.base import Provider, Reading, Rule, Wire
from miharu.providers.batches import Results, results_of
from miharu.providers.fixed import Fixed, Fixes

__all__ = ("OnUse",)


class OnUse:
    """Stands for a format. Its rules are known without it."""

    def __init__(
        self, point: Loadable, rules: Sequence[Rule], importing: Callable[[], AbstractContextManager[object]]
    ) -> None:
        """Prepare; nothing is imported yet.

        Args:
            point: Where it is.
            rules: Its own.
            importing: Held meanwhile, so that no fork finds half a module.
        """
        self.rules = rules
        self._point = point
        self._importing = importing

    @property
    def api(self) -> str:
        return self._point.name if self._format is None else self._format.api

    def read(self, wire: Wire) -> Reading | None:
        return None if self._format is None else self._format.read(wire)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        return self._fixed(request)

    def results(self, wire: Wire) -> Results | None:
        return None if self._format is None else results_of(self._format, wire)

    @property
    def format(self) -> Provider | None:
        """The format itself; ``None`` where it cannot be imported."""
        return self._format

    @cached_property
    def _fixed(self) -> Callable[[Mapping[str, Any]], Fixed]:
        found: object = self._format
        return found.fixed if isinstance(found, Fixes) else _nothing_fixed

    @cached_property
    def _format(self) -> Provider | None:
        """``None`` where it cannot be imported, which the log says."""
        with self._importing():
            return next((provider() for _, provider in plugins.load((self._point,))), None)


def _nothing_fixed(_request: Mapping[str, Any]) -> Fixed:
    return Fixed()
