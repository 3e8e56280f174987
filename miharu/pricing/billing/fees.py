"""What is paid beside tokens, where the number of uses alone does not say what is billed or its price."""

import re
from typing import TYPE_CHECKING

from miharu.pricing.billing.bill import Bill, Quantities

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

__all__ = ("are_known", "billable")

_GENERATION = re.compile(r"gemini-(?:[a-z]+-)*(\d+)")
_BY_QUERY = 3
"""From Gemini 3 on each different query of a search is billed, before it each prompt that was searched for
(https://ai.google.dev/gemini-api/docs/google-search#pricing)."""
_REASONING = re.compile(r"o\d|gpt-[5-9](?!.*chat)")
_OPENAI_SEARCH = re.compile(r"-search-(?:preview|api)")
"""OpenAI's chat models that search for each request, at a fee that no price list has."""

_BY_THE_BLOCK = re.compile(r"gpt-4(?:o|\.1)-mini")
"""Of these OpenAI bills a block of tokens for each search, and does not document whether the usage has it
(https://platform.openai.com/docs/pricing)."""
_SAID = {"processing", "service_tier", "speed"}
"""What a price may depend on, and an answer tells (``matching/conditions.py``)."""


def billable(quantities: Quantities, model: "ModelInfo") -> Quantities:
    """The same with Google's searches counted as they are billed for that model."""
    queries = quantities.get("google_search_queries")
    if queries is None:
        return quantities
    counts = {unit: n for unit, n in quantities.items() if unit != "google_search_queries"}
    grounded = counts.pop("google_search_prompts", None)
    found = _GENERATION.match(model.id)
    if found and int(found.group(1)) >= _BY_QUERY:
        counts["web_searches"] = queries
    elif found and grounded:
        counts["web_searches"] = grounded
    else:
        counts["unknown: searches without results"] = queries
    return counts


def are_known(name: str, model: "ModelInfo", price: "ModelPrice", bill: Bill, quantities: Quantities) -> bool:
    """Whether the list's fees are those of this call: some depend on what only the request says.

    Args:
        name: By which the model was found; several may share an entry.
        model: The entry.
        price: Its prices.
        bill: What the call is to be paid for.
        quantities: What was used of that model.
    """
    if _OPENAI_SEARCH.search(name):
        return False
    searches = quantities.get("web_searches")
    if searches and _BY_THE_BLOCK.search(name):
        return False
    if searches and bill.terms.get("web_search") == "preview" and not _REASONING.match(name):
        return False  # web_search_preview costs more for models that do not reason
    unsaid = {name for variant in model.price_variants or () for name in variant.when} - _SAID
    if unsaid - ({"search_type"} if not searches else set()):
        return False  # OpenRouter's route, or whether Perplexity's search was the fast one: no answer tells
    # of Perplexity's fees for a request the list has the highest
    return vars(price).get("requests_kcount") is None or bill.raw.get("search_context_size") == "high"
