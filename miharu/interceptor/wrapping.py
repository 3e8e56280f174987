"""Functions of ours on other people's classes: put there once, and taken off without a trace.

Rules that other instrumentors taught us:

* The original is taken with ``getattr``: out of ``__dict__``, a ``wrapt`` wrapper would come unbound.
* No ``__wrapped__``: some take any function that has it for their own wrapper and remove it.
* Ours is taken off only where it is still on top; elsewhere it stays in the chain and passes on.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ("Wrappings", "put", "restore", "wrap")


class Wrappings:
    """What was put in the place of methods and functions, for as long as it is there."""

    def __init__(self) -> None:
        self._applied: dict[tuple[type | ModuleType, str], tuple[object, object]] = {}

    def wrap(self, owner: type, attr: str, make: Callable[[Any], Any]) -> None:
        """Replace a method by ``make(method)``, unless that was done before."""
        owner = next(base for base in owner.__mro__ if attr in base.__dict__)
        standing = owner.__dict__[attr]
        if (owner, attr) in self._applied and standing is not self._applied[owner, attr][1]:
            return  # ours is on top, or somewhere under another library's wrapper
        original = getattr(owner, attr)
        wrapper = make(original)
        for name in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(wrapper, name, getattr(original, name, None))
        setattr(owner, attr, wrapper)
        self._applied[owner, attr] = (wrapper, standing)

    def put(self, owner: ModuleType, attr: str, make: Callable[[Any], Any]) -> None:
        """Replace a module's function by ``make(function)``, unless that was done before."""
        standing = getattr(owner, attr)
        if (owner, attr) not in self._applied:
            ours = make(standing)
            setattr(owner, attr, ours)
            self._applied[owner, attr] = (ours, standing)

    def restore(self) -> None:
        """Put the originals back where ours is on top; elsewhere ours stays in the chain and passes on."""
        for (owner, attr), (ours, before) in list(self._applied.items()):
            if owner.__dict__.get(attr) is ours:
                setattr(owner, attr, before)
                del self._applied[owner, attr]


_interceptors = Wrappings()
wrap = _interceptors.wrap
put = _interceptors.put
restore = _interceptors.restore
