"""Headers of an exchange, as the clients hand them over."""

from collections.abc import Mapping

__all__ = ("lowered",)

_known: dict[tuple[bytes, ...], tuple[str, ...]] = {}
"""The names of headers as they are sent, one after another, and in lower case: those of a program's calls are
nearly always the same. Empty where two of them are one."""
_KNOWN = 256
_MOST, _LONGEST = 64, 64
"""Names of which each is no longer than that, to be remembered."""


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their names in lower case."""
    rows = getattr(headers, "_list", None)  # of httpx, whose own view decodes each name and value twice
    if isinstance(rows, list):
        try:
            return _joined(rows)
        except (AttributeError, TypeError, ValueError):
            pass
    return {name.lower(): value for name, value in headers.items()}


def _joined(rows: list[tuple[bytes, bytes, bytes]]) -> dict[str, str]:
    """Values of the same name behind one another, as httpx gives them.

    Args:
        rows: The name as it was sent, the same in lower case, and the value.

    Raises:
        UnicodeDecodeError: Not all of it is ASCII.
        ValueError: It is of another shape.
    """
    if rows:
        _, keys, contents = zip(*rows, strict=True)
        names, values = _names(keys), b"\n".join(contents).decode("ascii").split("\n")
        if len(names) == len(values):
            return dict(zip(names, values, strict=True))
    found: dict[str, str] = {}
    for _, key, content in rows:
        name, value = key.decode("ascii").lower(), content.decode("ascii")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _names(keys: tuple[bytes, ...]) -> tuple[str, ...]:
    """The names in lower case; none where values would have to be joined.

    Raises:
        UnicodeDecodeError: Not all of it is ASCII.
    """
    found = _known.get(keys)
    if found is not None:
        return found
    names = tuple([key.decode("ascii").lower() for key in keys])
    if len(set(names)) < len(names):
        names = ()
    if len(keys) <= _MOST and max(map(len, keys)) <= _LONGEST:
        if len(_known) >= _KNOWN:
            _known.clear()
        _known[keys] = names
    return names
