"""Frozen dataclasses that are made quickly.

``dataclasses`` sets each field of a frozen object by a call of ``object.__setattr__``, which is most of the
time that it takes to make one, and reading one call makes ten. Here an object is of another class with the
same layout while its fields are set, by plain assignment, and of its own class from then on.
"""

import sys
from dataclasses import MISSING, fields
from typing import Any, TypeVar

__all__ = ("quickly_made",)

T = TypeVar("T")


def quickly_made(cls: type[T]) -> type[T]:
    """The same frozen dataclass, whose objects are made twice to three times as fast.

    Objects of a class that is derived from it are made as before.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return cls  # where there is no such lock, changing the class of an object stops all threads
    before: Any = cls.__init__
    slots = {"__slots__": vars(cls)["__slots__"]} if "__slots__" in vars(cls) else {}
    known: dict[str, Any] = {"_open": type("_Open", (), slots), "_own": cls}
    known |= {"_set": object.__setattr__, "_before": before, "_missing": MISSING}
    parameters, passed, lines, has_star = ["self"], ["self"], list[str](), False
    for field in fields(cls):  # type: ignore[arg-type]
        name, value, parameter = field.name, field.name, field.name
        if field.default is not MISSING:
            known[f"_of_{name}"] = field.default
            parameter = f"{name}=_of_{name}"
        elif field.default_factory is not MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameter, value = f"{name}=_missing", f"_make_{name}() if {name} is _missing else {name}"
        if field.kw_only and not has_star:
            parameters.append("*")
            has_star = True
        parameters.append(parameter)
        passed.append(f"{name}={value}")
        lines.append(f"    self.{name} = {value}")
    text = (
        f"def __init__({', '.join(parameters)}):",
        "    if self.__class__ is not _own:",
        f"        return _before({', '.join(passed)})",
        "    _set(self, '__class__', _open)",
        *lines,
        "    self.__class__ = _own",
    )
    exec("\n".join(text), known)  # noqa: S102 - as dataclasses does it; the names are those of the fields
    init = known["__init__"]
    init.__annotations__, init.__qualname__, init.__module__ = (
        before.__annotations__,
        before.__qualname__,
        cls.__module__,
    )
    cls.__init__ = init  # type: ignore[method-assign]
    return cls
