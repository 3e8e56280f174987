"""Hue = maker, shade = model: a model looks the same on every page and over every range.

The maker is read from the model's name, because a proxy or a gateway hides it; only where the name says
nothing does the provider speak.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.cache import kept
from miharu.stores.base import Query, Questions
from miharu.wording.names import provider_name

__all__ = ("OTHER", "Palette", "by_name", "maker", "palette")

OTHER = "so"
_SHADES = ("", "b", "c", "d", "e")
_MAKERS = (
    (re.compile(r"(?:^|[/.:])(?:gpt-|chatgpt|o\d|text-embedding-|whisper|tts-|dall-e|codex)"), "OpenAI"),
    (re.compile(r"claude"), "Anthropic"),
    (re.compile(r"gemini|gemma|imagen|veo-"), "Google"),
)
_HUES = {"OpenAI": "s1", "Anthropic": "s2", "Google": "s3"}
_LOOK_BACK = 30 * 86_400_000


def maker(model: str | None) -> str:
    """Who made a model, by its name; empty where that does not say."""
    return next((name for pattern, name in _MAKERS if pattern.search((model or "").lower())), "")


@dataclass(frozen=True, slots=True)
class Palette:
    """CSS classes of models and providers."""

    shades: Mapping[str | None, str] = field(default_factory=dict)

    def model(self, model: str | None, provider: str | None = None) -> str:
        # A model too new for the palette gets a shade of its own hue until the next look.
        guess = _SHADES[_choice(model, len(_SHADES))]
        return _hue(model, provider) + self.shades.get(model, guess)

    def provider(self, provider: str | None) -> str:
        return _hue(None, provider)


def _hue(model: str | None, provider: str | None = None) -> str:
    name = maker(model) or provider_name(provider)
    return next((hue for known, hue in _HUES.items() if known in name), "s4")


async def palette(site: Site) -> Palette:
    """The colours of the models of the last month."""
    return await kept(site, "palette", partial(_look, site.store, site.clock()))


async def _look(store: Questions, now: int) -> Palette:
    hues: dict[str, list[str]] = {}
    for model in await store.keys(Query(start=now - _LOOK_BACK, end=now + 1), "model"):
        hues.setdefault(_hue(model), []).append(model)
    shades: dict[str | None, str] = {}
    for models in hues.values():
        # Those that cost the most, which are drawn together, are told apart; each other one has its guess.
        shades.update(by_name(models[: len(_SHADES)], _SHADES))
    return Palette(shades)


def by_name(names: Iterable[str], colors: Sequence[str]) -> dict[str, str]:
    """A colour for each, which its name chooses: where it ranks today changes none.

    Two that choose the same one get different ones while there are others, in the order of the alphabet.
    Where there are more names than colours, each colour stands for about as many.
    """
    found: dict[str, str] = {}
    for name in sorted(names):
        first = _choice(name, len(colors))
        wanted = [colors[(first + step) % len(colors)] for step in range(len(colors))]
        found[name] = min(wanted, key=list(found.values()).count)
    return found


def _choice(name: str | None, number: int) -> int:
    return crc32((name or "").encode(errors="replace")) % number
