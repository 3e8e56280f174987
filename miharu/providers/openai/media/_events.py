"""What the streams of images and of sound share."""

from collections.abc import Mapping
from typing import Any

from miharu.providers.openai._usage import usages_beside
from miharu.wire.json import later, mapping

__all__ = ("note",)


def note(seen: dict[str, Any], data: Mapping[str, Any], kind: str) -> None:
    """Keep of an event what a call is read from: the latest usage, the model, an error."""
    usage = later(mapping(seen.get("usage")), mapping(data["usage"])) if data.get("usage") else None
    seen |= {name: data[name] for name in ("error", "model") if data.get(name)}
    seen |= ({} if usage is None else {"usage": usage}) | usages_beside(data)
    if kind == "error" and "error" not in seen:
        seen["error"] = data
