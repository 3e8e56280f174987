"""Values as they are written in a statement: the one place that quotes."""

import math
from collections.abc import Iterable

__all__ = ("among", "literal", "quoted_name")

_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def literal(value: str | float) -> str:
    """A text or a number."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a number")
        return repr(float(value))
    if isinstance(value, int):
        return str(int(value))
    whole = value.encode("utf-8", "replace").decode()
    return f"'{whole.translate(_ESCAPED)}'"


def among(values: Iterable[str | float]) -> str:
    """A list, for ``IN``; one of nothing matches nothing."""
    written = ", ".join(map(literal, values))
    return f"({written})" if written else "(SELECT NULL WHERE 0)"


def quoted_name(name: str) -> str:
    """The name of a database or a cluster."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
