"""Answers that a gateway gave out of its own cache: no provider was asked, and nothing is billed."""

from collections.abc import Mapping

__all__ = ("cached_by",)

_HITS = (
    # https://developers.cloudflare.com/ai-gateway/features/caching/
    ("cf-aig-cache-status", "cloudflare"),
    # https://docs.helicone.ai/features/advanced-usage/caching
    ("helicone-cache", "helicone"),
    # https://portkey.ai/docs/api-reference/response-schema: HIT, SEMANTIC HIT
    ("x-portkey-cache-status", "portkey"),
    # https://www.braintrust.dev/docs/guides/proxy#caching
    ("x-bt-cached", "braintrust"),
    # https://openrouter.ai/docs/guides/features/response-caching
    ("x-openrouter-cache-status", "openrouter"),
)
_LITELLM_COST = "x-litellm-response-cost"
_TELLING = frozenset({name for name, _ in _HITS} | {"x-litellm-cache-hit", _LITELLM_COST})


def cached_by(headers: Mapping[str, str]) -> str | None:
    """The gateway that has answered out of its cache, by the headers of the response."""
    if _TELLING.isdisjoint(headers):
        return None
    for name, gateway in _HITS:
        words = headers.get(name, "").upper().replace("-", " ").replace("_", " ").split()
        if words and words[-1] == "HIT":
            return gateway
    return "litellm" if _is_litellm_hit(headers) else None


def _is_litellm_hit(headers: Mapping[str, str]) -> bool:
    """LiteLLM says 0 of what it has no price for, too; beside the key of a cache entry it is true."""
    if headers.get("x-litellm-cache-hit", "").lower() == "true":
        return True
    try:
        cost = float(headers.get(_LITELLM_COST, "nan"))
    except ValueError:
        return False
    return cost == 0 and bool(headers.get("x-litellm-cache-key"))
