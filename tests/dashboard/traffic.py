"""Two days of a small shop's calls, always the same, with everything in it that goes wrong."""

import json
import math
import random
from functools import cache

from miharu.call import Body, Call, Cost, Outcome, Status, Usage, new_id

HOSTILE = "<script>alert('miharu')</script>"
MODELS = (
    # provider, api, model, dollars a million in and out, weight, base ms
    ("anthropic", "anthropic.messages", "claude-sonnet-5-5", 3.0, 15.0, 20, 4200),
    ("openai", "openai.responses", "gpt-6.1-sol", 2.5, 12.0, 16, 3900),
    ("anthropic", "anthropic.messages", "claude-haiku-5-5", 0.8, 4.0, 26, 1300),
    ("gcp.gemini", "gcp.gemini", "gemini-3.8-flash", 0.3, 2.5, 16, 900),
    ("openai", "openai.chat", "gpt-5.4-mini", 0.25, 2.0, 14, 800),
    ("openai", "openai.embeddings", "text-embedding-3-small", 0.02, 0.0, 30, 90),
    ("groq", "openai.chat", "llama-house-70b", None, None, 3, 600),
)
ROUTES = (
    "POST /chat/{thread_id}",
    "POST /agents/{name}/run",
    "POST /search",
    "GET /documents/{id}/summary",
    None,
)


def traffic(now: int, calls: int = 1500, days: float = 2, seed: int = 7) -> list[Call]:
    """A list of one's own, of calls that were made once."""
    return list(_traffic(now, calls, days, seed))


@cache
def _traffic(now: int, calls: int, days: float, seed: int) -> list[Call]:
    rng = random.Random(seed)
    made = []
    for _ in range(calls):
        at = now - int(rng.random() * days * 86_400_000)
        hour = at / 3_600_000 % 24
        if rng.random() < 0.25 + 0.75 * math.exp(-(((hour - 14) / 5) ** 2)):
            made.append(one(rng, at))
    return sorted(made, key=lambda call: call.timestamp)


def one(rng: random.Random, at: int) -> Call:
    provider, api, model, price_in, price_out, _, base = rng.choices(MODELS, [m[5] for m in MODELS])[0]
    embedding = "embedding" in model
    endings: list[Status] = ["success", "error", "cancelled"]
    status = rng.choices(endings, [96, 3, 1])[0]
    stream = not embedding and rng.random() < 0.6
    duration = int(base * rng.lognormvariate(0, 0.6))
    prompt, completion = (
        int(rng.lognormvariate(7.6, 1)),
        0 if embedding else int(rng.lognormvariate(5.6, 0.8)),
    )
    cached = int(prompt * rng.random() * 0.7) if not embedding and rng.random() < 0.5 else None
    rate_limited = status == "error" and rng.random() < 0.6
    outcome = Outcome(status=status, http_status=200)
    if rate_limited:
        outcome = Outcome(
            status="error",
            http_status=429,
            error_type="rate_limit_exceeded",
            error_message=f"Rate limit reached for {model} on tokens per min. Please try again in 2.1s.",
            retry_after_ms=2100,
        )
    elif status == "error":
        outcome = Outcome(status="error", error_type="httpx.ReadTimeout", error_message=HOSTILE)
    usage = Usage()
    cost = None
    if status == "success":
        usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=None if embedding else completion,
            cached_tokens=cached,
            reasoning_tokens=int(completion * 0.3) if "sol" in model else None,
            usage_source="provider",
            usage_raw=json.dumps({"input_tokens": prompt, "output_tokens": completion}),
        )
        if price_in is not None and price_out is not None:
            nano = int((prompt * price_in + completion * price_out) * 1000)
            cost = Cost(cost_nanousd=nano, cost_source="genai-prices", price_version="0.2.3")
    return Call(
        id=new_id(at, rng.randbytes(10)),
        timestamp=at,
        api=api,
        outcome=outcome,
        usage=usage,
        cost=cost,
        model=model,
        request_model=f"{model}-latest" if rng.random() < 0.2 else model,
        provider=provider,
        host=f"api.{provider}.example",
        sdk="openai/3.54.0",
        stream=stream,
        duration_ms=duration,
        ttft_ms=int(duration * 0.2) if stream and status == "success" else None,
        finish_reason="stop" if status == "success" else None,
        request_id=f"req_{rng.randrange(10**9)}",
        rate_limit=json.dumps({"x-ratelimit-remaining-requests": "4991", "x-ratelimit-reset-tokens": "6ms"}),
        attempt=rng.choice([1, 1, 1, 2]),
        route=rng.choices(ROUTES, [46, 20, 20, 10, 4])[0],
        user_id=f"u_{rng.randrange(50)}",
        session_id=f"s_{rng.randrange(400)}",
        body=Body(
            request=json.dumps({"model": model, "input": f"Hello {HOSTILE}"}).encode(),
            response=b'event: delta\ndata: {"text": "Hi"}\n\n' if stream else b'{"output": "Hi"}',
        ),
    )
