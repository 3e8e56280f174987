"""Hue = maker, shade = model: a model looks the same on every page and over every range.

The maker is read from the model's name, because a proxy or a gateway hides it; only where the name says
nothing does the provider speak.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.cache import kept
from miharu.stores.base import Query, Questions
from miharu.wording.names import provider_name

__all__ = ("OTHER", "Palette", "maker", "palette")

OTHER = "so"
_SHADES = ("", "b", "c")
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
        guess = _SHADES[crc32((model or "").encode(errors="replace")) % len(_SHADES)]
        return _hue(model, provider) + self.shades.get(model, guess)

    def provider(self, provider: str | None) -> str:
        return _hue(None, provider)


def _hue(model: str | None, provider: str | None = None) -> str:
    name = maker(model) or provider_name(provider)
    return next((hue for known, hue in _HUES.items() if known in name), "s4")


async def palette(site: Site) -> Palette:
    """The colours as of the last month, the model with most spend in each hue's strongest shade."""
    return await kept(site, "palette", partial(_look, site.store, site.clock()))


async def _look(store: Questions, now: int) -> Palette:
    used: dict[str, int] = {}
    shades: dict[str | None, str] = {}
    for model in await store.keys(Query(start=now - _LOOK_BACK, end=now + 1), "model"):
        hue = _hue(model)
        shades[model] = _SHADES[used.get(hue, 0) % len(_SHADES)]
        used[hue] = used.get(hue, 0) + 1
    return Palette(shades)
