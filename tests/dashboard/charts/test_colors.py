import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.call import Cost
from miharu.dashboard.charts.colors import Palette, by_name, maker, palette
from miharu.wording.names import provider_name
from tests.dashboard.conftest import NOW, make_site
from tests.dashboard.memory import MemoryStore
from tests.dashboard.traffic import traffic

pytestmark = pytest.mark.anyio
STATIC = Path(__file__).parents[3] / "web" / "static"


async def test_takes_the_hue_from_the_provider_and_the_shade_from_the_model() -> None:
    store = MemoryStore(traffic(NOW, calls=400))
    colors = await palette(make_site(store))
    assert colors.model("gpt-6.1-sol").startswith("s1")
    assert colors.model("claude-sonnet-5-5").startswith("s2")
    assert colors.model("gemini-3.8-flash").startswith("s3")
    assert colors.model("llama-house-70b").startswith("s4")
    assert colors.model("gpt-6.1-sol") != colors.model("gpt-5.4-mini")


async def test_the_five_dearest_models_of_one_maker_are_told_apart() -> None:
    models = ["gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5-mini"]
    others = ["gpt-4.1-nano", "gpt-5", "text-embedding-3-small", "whisper-1"]
    calls = [
        replace(call, model=model, cost=Cost(cost_nanousd=100 - i, cost_source="own"))
        for i, (model, call) in enumerate(zip(models + others, traffic(NOW, calls=40), strict=False))
    ]
    colors = await palette(make_site(MemoryStore(calls)))
    classes = {colors.model(model) for model in models}
    assert len(classes) == 5
    charts = (STATIC / "charts.css").read_text()
    values = re.findall(r"--(s\d\w?): light-dark\((#\w+),(#\w+)\)", (STATIC / "app.css").read_text())
    assert all(f".{css} {{" in charts and f".sw.{css} {{" in charts for css in classes)
    for look in (1, 2):
        assert len({value[look] for value in values}) == len(values) >= 4 * 5


async def test_keeps_a_color_while_the_store_grows() -> None:
    store = MemoryStore(traffic(NOW, calls=400))
    site = make_site(store)
    before = await palette(site)
    await store.add(
        Batch(
            calls=[replace(call, model=f"new-{i}") for i, call in enumerate(traffic(NOW, calls=50, seed=8))]
        )
    )
    assert await palette(site) is before
    assert await palette(make_site(store, now=NOW + 61_000)) is not before


@pytest.mark.parametrize(
    ("model", "made_by"),
    [
        ("gpt-4o-2024-08-06", "OpenAI"),
        ("openai/o3-mini", "OpenAI"),
        ("text-embedding-3-small", "OpenAI"),
        ("us.anthropic.claude-sonnet-5-5-v1:0", "Anthropic"),
        ("models/gemini-3.8-flash", "Google"),
        ("llama-3.1-8b", ""),
        ("Qwen/QwQ-o1-like", ""),
        (None, ""),
    ],
)
def test_knows_the_maker_by_the_models_name(model: str | None, made_by: str) -> None:
    """Behind a proxy nobody else says it."""
    assert maker(model) == made_by


def test_gives_a_model_too_new_a_shade_of_its_hue() -> None:
    assert Palette().model("gpt-7", "openai").startswith("s1")
    assert Palette().model(None) in {"s4", "s4b", "s4c"}


def test_names_providers() -> None:
    assert provider_name("gcp.gemini") == "Google"
    assert provider_name("my-own") == "my-own"
    assert provider_name(None) == "unknown provider"


def test_each_color_stands_for_about_as_many() -> None:
    """Of more names than colours, no colour is most names'."""
    shades = by_name((f"gpt-{number}" for number in range(11)), ("", "b", "c"))
    assert sorted(Counter(shades.values()).values()) == [3, 4, 4]
