"""Attributes as OpenTelemetry's messages have them."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

__all__ = ("encoded", "nanoseconds", "put")


def put(attributes: Any, values: Mapping[str, Any]) -> None:
    """Add each name and value to a message's attributes."""
    for name, value in values.items():
        attributes.append(KeyValue(key=name, value=encoded(value)))


def encoded(value: Any) -> AnyValue:
    """A text, a truth, a number, or a list of them."""
    if isinstance(value, str):
        return AnyValue(string_value=_text(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    found = AnyValue()
    found.array_value.values.extend(map(encoded, value))
    return found


def nanoseconds(ms: int) -> int:
    return max(0, ms) * 1_000_000


def _text(value: str) -> str:
    """Protocol buffers take no half of a surrogate pair, which JSON may have brought."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
