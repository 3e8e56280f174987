"""Tells when a library is imported later. Nothing is imported by us.

A finder first on ``sys.meta_path`` lets the others find the module and wraps its loader's ``exec_module``
once; the loader object, the spec and the module stay the originals. It leaves when nothing is pending.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from miharu._guard import swallowed

__all__ = ("Finder", "forget", "on_import")


class Finder:
    """Waits for libraries; each of those who wait has one of their own."""

    def __init__(self) -> None:
        self.pending: dict[str, Callable[[ModuleType], None]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self.pending:
            return None
        for finder in self._behind():
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                try:
                    self._announce(spec)
                except Exception:  # noqa: BLE001 - an exotic loader must load all the same
                    swallowed("watching an import")
                return spec  # type: ignore[no-any-return]
        return None

    def _behind(self) -> Sequence[Any]:
        """The finders behind this one: two of this kind would ask each other without end."""
        finders = sys.meta_path
        if self in finders:
            return finders[finders.index(self) + 1 :]
        return [finder for finder in finders if not isinstance(finder, Finder)]

    def _announce(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        execute = loader.exec_module  # type: ignore[union-attr]

        def exec_module(module: ModuleType) -> None:
            if vars(loader).get("exec_module") is exec_module:  # a loader may serve several modules
                del loader.exec_module  # type: ignore[union-attr] # the instance's; the class's shows again
            execute(module)
            self.arrived(module)

        loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]

    def arrived(self, module: ModuleType) -> None:
        tell = self.pending.pop(module.__name__, None)
        if not self.pending:
            self.leave()
        if tell is not None:
            try:
                tell(module)
            except Exception:  # noqa: BLE001 - the import itself has succeeded
                swallowed("patching an imported library")

    def wait(self, names: Iterable[str], tell: Callable[[ModuleType], None]) -> None:
        """Call ``tell`` with each of these modules, and no others, right after it was first imported."""
        self.pending = dict.fromkeys(names, tell)
        self.leave()
        if self.pending:
            sys.meta_path.insert(0, self)

    def leave(self) -> None:
        # A new list: an import elsewhere that is half-way through the old one would skip a finder.
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]


_finder = Finder()


def on_import(names: Iterable[str], tell: Callable[[ModuleType], None]) -> None:
    """Call ``tell`` with each of these modules right after it was first imported."""
    _finder.wait(names, tell)


def forget() -> None:
    """Stop waiting for libraries."""
    _finder.wait((), _nothing)


def _nothing(module: ModuleType) -> None: ...
