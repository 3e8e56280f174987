"""Many calls of a made-up company, quickly: thirty days, twenty models, forty routes, five thousand users.

A tenth of the users make half of the calls, nights are quiet, two calls of a hundred fail, and a few have no
price. Each call has two tags: the team that owns its route, and the release that was running, a new one every
other day. Each route has a prompt, which changes once a week; the models of one provider are called without.
The same seed makes the same calls.
"""

import itertools
import json
import math
import random
from collections.abc import Iterator

from miharu.call import Call, Cost, Outcome, Status, Usage, new_id

__all__ = ("DAYS", "population")

DAYS = 30
_DAY_MS = 86_400_000
_MODELS = tuple(
    # provider, model, api, nano-dollars a token in and out, base ms
    (provider, f"{family}-{size}", api, price * scale, 5 * price * scale, int(600 * scale**0.4))
    for provider, family, api, price in (
        ("openai", "gpt-6.1", "openai.responses", 1000),
        ("openai", "gpt-5.4", "openai.chat", 400),
        ("anthropic", "claude-5-5", "anthropic.messages", 1500),
        ("gcp.gemini", "gemini-3.8", "gcp.gemini", 300),
        ("groq", "llama-house", "openai.chat", 60),
    )
    for size, scale in (("nano", 1), ("mini", 3), ("flash", 6), ("large", 20))
)
_ROUTES = tuple(
    f"{method} /{part}/{{id}}/{what}"
    for method, part in (("POST", "chat"), ("POST", "agents"), ("GET", "documents"), ("POST", "search"))
    for what in ("ask", "draft", "sum", "plan", "rank", "tag", "check", "route", "title", "translate")
)
_PROMPTS = {route: ".".join(route.split("/")[1::2]) for route in _ROUTES}
_TEAMS = 7
_ERRORS = (
    ("rate_limit_exceeded", 429),
    ("httpx.ReadTimeout", None),
    ("server_error", 500),
    ("overloaded", 529),
)


def population(calls: int, end: int, days: float = DAYS, seed: int = 7, users: int = 5000) -> Iterator[Call]:
    """The calls in order of time, the last one just before ``end`` (Unix milliseconds)."""
    rng = random.Random(seed)
    models = list(itertools.accumulate(1 / (place + 1) for place in range(len(_MODELS))))
    routes = list(itertools.accumulate(1 / (place + 1) ** 0.8 for place in range(len(_ROUTES))))
    span = int(days * _DAY_MS)
    for number in range(calls):
        at = end - span + _worked(number / calls * days, days) * span // 10**9 - 1
        yield _one(
            rng,
            at,
            rng.choices(_MODELS, cum_weights=models)[0],
            rng.choices(_ROUTES, cum_weights=routes)[0],
            users,
        )


def _worked(day: float, days: float) -> int:
    """When in the whole span (in billionths) that share of the work is done: most of it by day."""
    return int((day - 0.12 * math.sin(2 * math.pi * day)) / days * 10**9)


def _one(
    rng: random.Random, at: int, model: tuple[str, str, str, int, int, int], route: str, users: int
) -> Call:
    provider, name, api, price_in, price_out, base = model
    draw = rng.random()
    status: Status = "error" if draw < 0.02 else "cancelled" if draw < 0.03 else "success"
    stream = draw > 0.5
    duration = int(base * rng.lognormvariate(0, 0.7))
    prompt, completion = int(rng.lognormvariate(7, 1)), int(rng.lognormvariate(5.3, 0.9))
    cached = int(prompt * draw) if rng.random() < 0.4 else 0
    user = int(users * rng.random() ** 3)
    error, http = rng.choice(_ERRORS) if status == "error" else (None, 200)
    usage, cost = Usage(), None
    if status == "success":
        usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            usage_source="provider",
            usage_raw=json.dumps({"input_tokens": prompt, "output_tokens": completion, "cached": cached}),
        )
        if provider != "groq" or draw > 0.1:
            cost = Cost(
                cost_nanousd=(prompt - cached) * price_in + cached * price_in // 10 + completion * price_out,
                cost_source="genai-prices",
                price_version="0.2.3",
            )
    return Call(
        id=new_id(at, rng.randbytes(10)),
        timestamp=at,
        api=api,
        outcome=Outcome(
            status=status,
            http_status=http,
            error_type=error,
            error_message=f"The model {name} says no." if error else None,
        ),
        usage=usage,
        cost=cost,
        model=name,
        request_model=name,
        provider=provider,
        host=f"api.{provider}.example",
        sdk="openai/3.54.0",
        stream=stream,
        duration_ms=duration,
        ttft_ms=duration // 5 if stream and status == "success" else None,
        finish_reason="stop" if status == "success" else None,
        attempt=2 if draw > 0.99 else 1,
        service="shop",
        route=route,
        user_id=f"user-{user:05d}",
        session_id=f"session-{user:05d}-{at // 3_600_000:x}",
        trace_id=f"{rng.getrandbits(128):032x}",
        prompt_name=None if provider == "groq" else _PROMPTS[route],
        prompt_hash=None if provider == "groq" else f"{_ROUTES.index(route):04x}{at // (7 * _DAY_MS):08x}",
        tags={"team": f"team-{_ROUTES.index(route) % _TEAMS}", "release": f"r{at // (2 * _DAY_MS)}"},
    )
