"""Headers of an exchange, as the clients hand them over."""

from collections.abc import Mapping

__all__ = ("lowered",)


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their names in lower case."""
    raw = getattr(headers, "raw", None)  # of httpx, whose own view decodes each name and value twice
    if isinstance(raw, list):
        try:
            return _joined(raw)
        except (AttributeError, TypeError, ValueError):
            pass
    return {name.lower(): value for name, value in headers.items()}


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Values of the same name behind one another, as httpx gives them.

    Raises:
        UnicodeDecodeError: Not all of it is ASCII.
    """
    found: dict[str, str] = {}
    for key, content in raw:
        name, value = key.decode("ascii").lower(), content.decode("ascii")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
