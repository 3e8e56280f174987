"""Values as they are written in a statement: the one place that quotes."""

from collections.abc import Iterable

__all__ = ("among", "literal", "quoted_name")

_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def literal(value: str | int) -> str:
    """A text or a whole number."""
    if isinstance(value, int):
        return str(int(value))
    whole = value.encode("utf-8", "replace").decode()
    return f"'{whole.translate(_ESCAPED)}'"


def among(values: Iterable[str | int]) -> str:
    """A list, for ``IN``; one of nothing matches nothing."""
    written = ", ".join(map(literal, values))
    return f"({written})" if written else "(SELECT NULL WHERE 0)"


def quoted_name(name: str) -> str:
    """The name of a database or a cluster."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
