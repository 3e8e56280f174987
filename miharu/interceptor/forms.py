"""The plain fields of a multipart form that is sent as bytes; its files are never looked at."""

import re

__all__ = ("plain_fields",)

_BOUNDARY = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="([^"]*)"', re.IGNORECASE)
_MOST, _LONGEST = 100, 1000
"""Fields, and the characters of each."""


def plain_fields(body: bytes, content_type: str) -> dict[str, str] | None:
    """The fields by their names; ``None`` where the body is no such form."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        return None
    fields: dict[str, str] = {}
    mark = b"--" + found[1].strip().encode("latin-1")
    start = body.find(mark)
    while start >= 0 and len(fields) < _MOST:
        head = body.find(b"\r\n\r\n", start)
        if head < 0:
            break
        end = body.find(b"\r\n" + mark, head + 2)
        name = _NAME.search(body, start, head)
        if name is not None and b"filename" not in body[start:head].lower():
            value = body[head + 4 : min(end if end >= 0 else len(body), head + 4 + _LONGEST)]
            fields[name[1].decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        start = end + 2 if end >= 0 else -1
    return fields
