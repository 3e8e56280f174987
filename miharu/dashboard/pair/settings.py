"""What two calls asked for beside the words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from miharu.call import Call
from miharu.dashboard.call.conversation import Conversation
from miharu.wording.names import provider_name

__all__ = ("Setting", "Settings", "settings")


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    differ: Sequence[Setting]
    same: Sequence[Setting]
    tools_in_both: Sequence[str]
    tools_only: tuple[Sequence[str], Sequence[str]]
    """Of the tools on offer, those that only one of them has."""


def settings(first: Call, second: Call, said: tuple[Conversation | None, Conversation | None]) -> Settings:
    """By name; ``None`` where a call does not have it."""
    sides = [dict(_of(call, talk)) for call, talk in zip((first, second), said, strict=True)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    both = [Setting(name, sides[0].get(name), sides[1].get(name)) for name in names]
    tools = [list(dict.fromkeys(talk.tools)) if talk else [] for talk in said]
    known = [set(side) for side in tools]
    return Settings(
        differ=[one for one in both if one.first != one.second],
        same=[one for one in both if one.first == one.second],
        tools_in_both=[name for name in tools[0] if name in known[1]],
        tools_only=(
            [one for one in tools[0] if one not in known[1]],
            [one for one in tools[1] if one not in known[0]],
        ),
    )


def _of(call: Call, said: Conversation | None) -> Iterator[tuple[str, str]]:
    known = (
        ("model", call.model or call.request_model),
        ("provider", provider_name(call.provider) if call.provider else None),
        ("host", call.host),
        ("wire format", call.api),
        ("stream", "yes" if call.stream else "no"),
        ("service tier", call.service_tier),
        ("SDK", call.sdk),
        ("service", call.service),
        ("route", call.route),
    )
    yield from ((name, value) for name, value in known if value)
    yield from ((f"tag {name}", value) for name, value in (call.tags or {}).items())
    if said is not None:
        yield from (
            (name, value) for name, value in said.settings if name != "service_tier" or not call.service_tier
        )
