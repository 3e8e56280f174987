"""genai-prices, imported without the HTTP client that it fetches newer data with.

The recorder imports it on a thread of its own, and the client, httpx2, is most of that import. A program that
has another client has no use for it, and could be harmed: openai looks for httpx2 in ``sys.modules`` with
each request and uses what it finds, also where another thread has imported only half of it.
"""

import builtins
import sys
import threading
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ("import_prices",)

CLIENT = "httpx2"
USER = "genai_prices.update_prices"

_one = threading.Lock()


def import_prices() -> None:
    """Import genai-prices; its client is imported once it is used."""
    if "genai_prices" in sys.modules or CLIENT in sys.modules:
        import_module("genai_prices")
        return
    finder = _WithoutClient()
    with _one:
        sys.meta_path.insert(0, finder)
        try:
            import_module("genai_prices")
        finally:
            sys.meta_path.remove(finder)


class _OnUse(ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def _import(name: str, *args: Any, **kwargs: Any) -> ModuleType:
    return _OnUse(CLIENT) if name == CLIENT else __import__(name, *args, **kwargs)


class _WithoutClient:
    """Finds the one module that uses the client."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != USER or (spec := PathFinder.find_spec(name, path, target)) is None:
            return None
        spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # as importlib calls it
        return spec


class _Loader:
    """Loads it as its own loader does, but for what ``import httpx2`` means in it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        spec.loader = self._loader
        module: ModuleType | None = self._loader.create_module(spec)
        spec.loader = self  # type: ignore[assignment]
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__dict__["__builtins__"] = vars(builtins) | {"__import__": _import}
        self._loader.exec_module(module)
