"""What recorded exchanges cost, worked out without a line of ``miharu``: an opinion to compare ours with.

It reads the recorded truth and the recorded bytes, and takes from genai-prices its data, not its arithmetic.
Where it sees something that it does not know how to bill, it has no opinion (``None``).

python -m tests.corpus.independent_cost            how often the two agree, by provider
python -m tests.corpus.independent_cost --all      and each exchange on which they do not
"""

import base64
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

from genai_prices.data import providers as LISTED

LISTS = {listed.id: listed for listed in LISTED}
HOSTS = (
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("aiplatform.googleapis.com", "google"),
    ("generativelanguage.googleapis.com", "google"),
    ("amazonaws.com", "aws"),
    ("bedrock-mantle", "aws"),
    ("azure.com", "azure"),
    ("openrouter.ai", "openrouter"),
    ("api.cohere.com", "cohere"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.deepseek.com", "deepseek"),
    ("api.cerebras.ai", "cerebras"),
    ("api.voyageai.com", "voyageai"),
    ("api.z.ai", "zai"),
    ("api.cloudflare.com", "cloudflare"),
    ("databricks", "databricks"),
    ("api.together", "together"),
)
MILLION = Decimal(10**6)
THOUSAND = Decimal(1000)
UNPRICED_TOOLS = re.compile(
    r'"type"\s*:\s*"(?:code_interpreter_call|image_generation_call|shell_call|computer_use_call)"'
    r'|"name"\s*:\s*"(?:bash_|text_editor_)?code_execution"\s*[,}]|"nova_[a-z_]+"|guardrail|executed_tools'
    r'|"retrievedContext"|"groundingChunks"\s*:\s*\[\s*\{\s*"maps"',
    re.IGNORECASE,
)
UNPRICED_ASKED = re.compile(r'"web_search_options"|guardrailConfig|"latency"\s*:\s*"optimized"')
FREE_FILES = re.compile(r'"file_?[sS]earch"\s*:')


class NoOpinion(Exception):
    """Something was used that this calculation does not know."""


def cost_of(recorded: dict[str, Any], at: datetime) -> int | None:
    """Nano-dollars, or no opinion."""
    try:
        return nano(dollars_of(recorded, recorded["truth"], at))
    except NoOpinion:
        return None


def dollars_of(recorded: dict[str, Any], truth: dict[str, Any], at: datetime) -> Decimal:
    if not truth["ok"] or truth["input_total"] is None:
        raise NoOpinion
    if truth["provider_cost_usd"] is not None:
        return Decimal(str(truth["provider_cost_usd"]))
    url = urlsplit(recorded["url"])
    owner = next((name for part, name in HOSTS if part in url.netloc), None)
    if owner is None:
        raise NoOpinion
    names = (named(owner, url.path, truth), truth["request_model"])
    entry = next(filter(None, (entry_of(owner, name) for name in names if name)), None)
    if not entry or (owner == "openai" and "-search-" in entry.id):
        raise NoOpinion
    answered = body(recorded["response_body"], "base64")
    asked = body(recorded["request_body"] or "", recorded["request_body_encoding"])
    whole = f"{answered}\n{asked}"
    unpriced = UNPRICED_TOOLS.findall(answered) + UNPRICED_ASKED.findall(f"{asked}{recorded['url']}")
    if unpriced and not (FREE_FILES.search(whole) and set(unpriced) == {'"retrievedContext"'}):
        raise NoOpinion
    prices = prices_at(entry, at, truth["service_tier"])
    raw = truth["raw_usage"] if isinstance(truth["raw_usage"], dict) else {}
    resold = not any(entry is own for own in LISTS[owner].models)
    total = tokens(truth, raw, prices, owner)
    total += fees(whole, prices, entry.id, resold=resold)
    total += iterations(last_list(whole, "iterations"), prices, at)
    return total * surcharge(owner, url, entry.id)


def nano(dollars: Decimal) -> int:
    return int((dollars * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def body(text: str, encoding: str) -> str:
    return base64.b64decode(text).decode("utf-8", "replace") if encoding == "base64" else text


def named(owner: str, path: str, truth: dict[str, Any]) -> str | None:
    if owner == "aws":
        found = re.search(r"/model/(.+)/(?:converse|invoke)", path)
        name = unquote(found.group(1)) if found else truth["request_model"]
        if name and name.startswith("arn:"):
            return (
                name.rpartition("/")[2]
                if "inference-profile/" in name and ":application-" not in name
                else None
            )
        return name
    if owner == "google":
        for name in (truth["response_model"], truth["request_model"]):
            if name:
                return name.rpartition("/")[2]
    return truth["response_model"] or truth["request_model"]


def entry_of(owner: str, model: str) -> Any:
    own = LISTS[owner]
    for name in (own.id, *(own.fallback_model_providers or ())):
        for entry in LISTS[name].models:
            if matches(entry.match, model.lower()):
                return entry
    return None


def matches(clause: Any, name: str) -> bool:
    """The rules of the list, read from their fields."""
    kind, wanted = next(iter(vars(clause).items()))
    if kind in {"or_", "and_"}:
        return (any if kind == "or_" else all)(matches(each, name) for each in wanted)
    if kind == "regex":
        return re.search(wanted, name) is not None
    wanted = wanted.lower()
    return {
        "equals": name == wanted,
        "starts_with": name.startswith(wanted),
        "ends_with": name.endswith(wanted),
        "contains": wanted in name,
    }[kind]


def active(constraint: Any, at: datetime) -> bool:
    if constraint is None:
        return True
    if isinstance(getattr(constraint, "start_date", None), date):
        return bool(at.date() >= constraint.start_date)
    start, end = (moment.replace(tzinfo=None) for moment in (constraint.start_time, constraint.end_time))
    now = at.time()
    return bool(start <= now < end if start <= end else now >= start or now < end)


def prices_at(entry: Any, at: datetime, tier: str | None) -> dict[str, Any]:
    listed = entry.prices if isinstance(entry.prices, list) else None
    if listed is None:
        chosen = entry.prices
    else:
        chosen = next(
            (one.prices for one in reversed(listed) if active(one.constraint, at)), listed[0].prices
        )
    prices = {key: value for key, value in vars(chosen).items() if value is not None}
    tier = str(tier or "default").lower()
    if tier in {"default", "auto", "standard", "on_demand", "1"}:
        return prices
    wanted = {"processing": "batch"} if tier == "batch" else {"service_tier": tier.removeprefix("on_demand_")}
    for variant in entry.price_variants or ():
        if variant.when == wanted and active(variant.constraint, at):
            return prices | {key: value for key, value in vars(variant.prices).items() if value is not None}
    raise NoOpinion


def rate(prices: dict[str, Any], key: str, prompt: int) -> Decimal | None:
    value = prices.get(key)
    if value is None or isinstance(value, Decimal):
        return value
    steps = [step.price for step in value.tiers if prompt > step.start]
    return Decimal(steps[-1] if steps else value.base)


def tokens(truth: dict[str, Any], raw: dict[str, Any], prices: dict[str, Any], owner: str) -> Decimal:
    prompt, completion = truth["input_total"], truth["output_total"] or 0
    read, written = truth["cached_input"] or 0, truth["cache_write"] or 0
    if owner == "cohere":
        read = 0
    hour = truth["cache_write_1h"] or 0
    sound, pictures = truth["audio_input"] or 0, truth["image_output"] or 0
    spoken = truth["audio_output"] or 0
    if any("VIDEO" in str(raw.get(name)) for name in raw) and "input_video_mtok" in prices:
        raise NoOpinion
    if spoken and "output_audio_mtok" not in prices:
        raise NoOpinion
    if pictures and "output_image_mtok" not in prices:
        raise NoOpinion
    cached_sound = sum(
        detail["tokenCount"]
        for detail in raw.get("cacheTokensDetails") or ()
        if detail.get("modality") == "AUDIO"
    )
    if sound and "input_audio_mtok" not in prices:
        if owner != "google":
            raise NoOpinion
        sound = cached_sound = 0
    if read and sound and not raw.get("cacheTokensDetails"):
        raise NoOpinion
    seconds = raw.get("prompt_audio_seconds") or raw.get("seconds")
    if seconds or raw.get("type") == "duration":
        raise NoOpinion
    parts = [
        ("input_mtok", prompt - read - written - (sound - cached_sound)),
        ("cache_read_mtok", read - cached_sound),
        ("cache_write_mtok", written - hour),
        ("cache_write_1h_mtok", hour),
        ("input_audio_mtok", sound - cached_sound),
        ("cache_audio_read_mtok", cached_sound),
        ("output_mtok", completion - spoken - pictures),
        ("output_audio_mtok", spoken),
        ("output_image_mtok", pictures),
    ]
    total = Decimal(0)
    for key, count in parts:
        if count < 0:
            raise NoOpinion
        if count and (price := rate(prices, key, prompt)) is None:
            raise NoOpinion
        total += Decimal(count) * (price if count else Decimal(0)) / MILLION
    if not (prompt or completion):
        raise NoOpinion
    return total


def fees(whole: str, prices: dict[str, Any], model: str, *, resold: bool) -> Decimal:
    searches = max(map(int, re.findall(r'"web_search_requests"\s*:\s*(\d+)', whole)), default=0)
    if not searches and '"web_search_call"' in whole:
        done = json.loads(whole.partition("\n")[0]) if whole.startswith("{") else last_response(whole)
        stated = ((done.get("tool_usage") or {}).get("web_search") or {}).get("num_requests")
        items = [item for item in done.get("output", ()) if item.get("type") == "web_search_call"]
        looked = [item for item in items if (item.get("action") or {}).get("type", "search") == "search"]
        searches = stated or len(looked)
        if searches and '"web_search_preview' in whole and not model.startswith(("o", "gpt-5", "gpt-6")):
            raise NoOpinion
    queries = {
        query
        for listed in re.findall(r'"webSearchQueries"\s*:\s*\[(.*?)\]', whole, re.DOTALL)
        for query in re.findall(r'"((?:[^"\\]|\\.)+)"', listed)
    }
    if queries:
        older = re.match(r"gemini-[12]", model)
        if older and '"web"' not in whole:
            raise NoOpinion
        searches = 1 if older else len(queries)
    if not searches:
        return Decimal(0)
    if resold or "web_searches_kcount" not in prices:
        raise NoOpinion
    return Decimal(prices["web_searches_kcount"]) * searches / THOUSAND


def last_response(stream: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in stream.splitlines():
        if line.startswith("data:") and '"response"' in line:
            found = json.loads(line[5:]).get("response") or found
    return found


def last_list(whole: str, name: str) -> list[dict[str, Any]]:
    where = whole.rfind(f'"{name}"')
    if where < 0:
        return []
    found, _ = json.JSONDecoder().raw_decode(whole[where:].partition(":")[2].lstrip())
    return found if isinstance(found, list) else []


def iterations(steps: list[dict[str, Any]], prices: dict[str, Any], at: datetime) -> Decimal:
    total = Decimal(0)
    for step in steps:
        if step["type"] == "message":
            continue
        if step["type"] == "advisor_message":
            other = entry_of("anthropic", step["model"])
            if other is None:
                raise NoOpinion
            listed = prices_at(other, at, None)
        elif step["type"] == "compaction":
            listed = prices
        else:
            raise NoOpinion
        read, written = step["cache_read_input_tokens"], step["cache_creation_input_tokens"]
        prompt = step["input_tokens"] + read + written
        for key, count in (
            ("input_mtok", step["input_tokens"]),
            ("cache_read_mtok", read),
            ("cache_write_mtok", written),
            ("output_mtok", step["output_tokens"]),
        ):
            price = rate(listed, key, prompt)
            if count and price is None:
                raise NoOpinion
            total += Decimal(count) * (price or 0) / MILLION
    return total


def surcharge(owner: str, url: Any, model: str) -> Decimal:
    regional = owner == "google" and re.match(
        r"[a-z]+-?[a-z]+\d-aiplatform|aiplatform\.(?:us|eu)\.", url.netloc
    )
    new = re.search(r"claude-(?:(?:opus|sonnet|haiku|fable)-(?:4-[5-9]|5))", model)
    new = new or re.search(r"gemini-(?:3\.[5-9]|3\.1-flash|4)", model)
    return Decimal("1.1") if regional and new else Decimal(1)


def main(words: list[str]) -> None:
    from tests.corpus.agreement import compared

    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for provider, id_, ours, theirs, verdict in compared():
        counts[provider][verdict] += 1
        if "--all" in words and verdict not in {"equal", "neither"}:
            print(f"{provider} {id_}: ours {ours}, the other {theirs} ({verdict})")
    kinds = ("equal", "ours unknown", "other unknown", "different", "neither")
    print(f"{'provider':40}", *(f"{kind:>14}" for kind in kinds))
    for provider, found in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        print(f"{provider:40}", *(f"{found[kind]:>14}" for kind in kinds))


if __name__ == "__main__":
    main(sys.argv[1:])
