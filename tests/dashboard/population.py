"""A bookshop's week: conversations, an agent with tools, a search, a nightly job, and one bad night.

Always the same for the same seed. Costs are those of the price list, contents in the providers' own formats.
"""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Call, Outcome, Usage, new_id
from miharu.pricing.genai import GenaiPrices

__all__ = ("population",)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
QUESTIONS = (
    ("Where is order 51882? It was meant to come on Friday.", "search_orders", {"order_id": 51882}),
    ("Do you have a signed copy of The Dispossessed?", "search_stock", {"title": "The Dispossessed"}),
    ("I would like to return two books, how do I do that?", "read_policy", {"topic": "returns"}),
    ("Which of Ogawa's novels should I start with?", "search_stock", {"author": "Yoko Ogawa"}),
    ("Can the gift wrap still be changed on order 51904?", "search_orders", {"order_id": 51904}),
)
ANSWERS = (
    "Your order is on its way with Yamato and should arrive on Tuesday. I am sorry that it missed Friday.",
    "We have one, a first edition of 1974 with a bookplate. Shall I put it aside for you?",
    "Send them within thirty days, in the parcel they came in. A label is in your account, under the order.",
    "Start with The Memory Police: it is short, quiet, and it stays with you.",
    "Yes, until it is packed this evening. Which paper would you like?",
)
SYSTEM = (
    "You are the support agent for a small bookshop. Look orders up before you answer. Keep replies short."
)
SYSTEM_NOW = (
    "You are the support agent for a small bookshop. Look orders up before you answer. "
    "Keep replies to two sentences, and never promise a day of delivery."
)
RELEASED = 9 * HOUR
"""So long ago the shop deployed its newest release, with the newer system prompt."""
TEAMS = {
    "POST /chat/{thread_id}": "support",
    "POST /agents/{name}/run": "support",
    "POST /search": "discovery",
    "GET /documents/{id}/summary": "editorial",
}
PROMPTS = {
    ("POST /chat/{thread_id}", ""): "support.chat",
    ("POST /agents/{name}/run", "anthropic"): "support.agent",
    ("POST /agents/{name}/run", "openai"): "support.agent.openai",
    ("GET /documents/{id}/summary", ""): "catalogue.summary",
}
FOUND = {"status": "in_transit", "eta": "2026-11-24", "carrier": "Yamato", "parcels": 1}
STACK = """Traceback (most recent call last):
  File "/srv/bookshop/tools.py", line 41, in {tool}
    rows = await warehouse.find(**asked)
  File "/srv/bookshop/warehouse.py", line 88, in find
    raise WarehouseTimeout(f"no answer within {{limit}} s")
bookshop.warehouse.WarehouseTimeout: no answer within 2 s
"""


@dataclass(frozen=True)
class Model:
    name: str
    provider: str
    api: str
    host: str
    sdk: str
    base_ms: int
    speed: float  # tokens a second


SONNET = Model(
    "claude-sonnet-5-5", "anthropic", "anthropic.messages", "api.anthropic.com", "anthropic/2.4.0", 1100, 75
)
HAIKU = Model(
    "claude-haiku-5-5", "anthropic", "anthropic.messages", "api.anthropic.com", "anthropic/2.4.0", 420, 140
)
SOL = Model("gpt-6.1-sol", "openai", "openai.responses", "api.openai.com", "openai/3.54.0", 1300, 68)
MINI = Model("gpt-5.4-mini", "openai", "openai.chat", "api.openai.com", "openai/3.54.0", 350, 150)
FLASH = Model(
    "gemini-3.8-flash",
    "gcp.gemini",
    "gemini.generate",
    "generativelanguage.googleapis.com",
    "google-genai/3.1.0",
    300,
    210,
)
EMBED = Model(
    "text-embedding-3-small", "openai", "openai.embeddings", "api.openai.com", "openai/3.54.0", 80, 0
)
HOUSE = Model("bookshop-8b", None, "openai.chat", "llm.bookshop.internal:8000", "openai/3.54.0", 260, 90)  # type: ignore[arg-type]


class Shop:
    def __init__(self, now: int, seed: int) -> None:
        self.now = now
        self.rng = random.Random(seed)
        self.luck = random.Random(seed + 1)  # of what the shop's own tools do
        self.prices = GenaiPrices()
        self.calls: list[Call] = []
        self.spans: list[Span] = []
        self.scores: list[Score] = []

    # --- what happens

    def chat(self, at: int) -> None:
        """A conversation of a few turns, streamed."""
        rng = self.rng
        user, session = f"u_{1000 + int(rng.paretovariate(0.9)) % 400}", f"chat_{rng.randrange(16**6):06x}"
        model = rng.choices((SONNET, HAIKU, MINI), (2, 5, 3))[0]
        history: list[dict[str, Any]] = []
        for turn in range(rng.choices((1, 2, 3, 5, 8), (30, 30, 20, 12, 8))[0]):
            number = rng.randrange(len(QUESTIONS))
            history.append({"role": "user", "content": QUESTIONS[number][0]})
            tokens = 600 + 900 * turn + int(rng.lognormvariate(6, 0.6))
            call = self.call(
                model,
                at,
                tokens,
                int(rng.lognormvariate(5.1, 0.5)),
                cached=int(tokens * 0.75) if turn and rng.random() < 0.8 else None,
                stream=True,
                route="POST /chat/{thread_id}",
                user=user,
                session=session,
                body=self.chat_body(model, history, ANSWERS[number], at),
            )
            history.append({"role": "assistant", "content": ANSWERS[number]})
            if turn == 0 and rng.random() < 0.15:
                self.scores.append(
                    Score(
                        id=new_id(at, rng.randbytes(10)),
                        timestamp=at + 9000,
                        name="helpful",
                        value=float(rng.random() < 0.85),
                        call_id=call.id,
                    )
                )
            at = call.timestamp + call.duration_ms + int(rng.lognormvariate(10.6, 0.8))
            if at > self.now:
                return

    def agent(self, at: int) -> None:
        """A run with tools, in spans of its own."""
        rng = self.rng
        model = rng.choices((SONNET, SOL), (3, 4))[0]
        number = rng.randrange(len(QUESTIONS))
        question, tool, arguments = QUESTIONS[number]
        trace, root = f"{rng.randrange(16**32):032x}", f"{rng.randrange(16**16):016x}"
        user, session = f"u_{1000 + int(rng.paretovariate(0.9)) % 400}", f"agent_{rng.randrange(16**6):06x}"
        place = {
            "user": user,
            "session": session,
            "route": "POST /agents/{name}/run",
            "trace": trace,
            "parent": root,
        }
        begun, failed = at, False
        steps = rng.choices((1, 2, 3, 4), (2, 4, 3, 1))[0]
        for step in range(steps + 1):
            last = step == steps
            tokens = 5200 + 1400 * step + int(rng.lognormvariate(6.5, 0.5))
            cached = int(tokens * 0.8) if step and rng.random() < 0.7 else None
            body = self.agent_body(model, question, tool, arguments, ANSWERS[number], step, at, last=last)
            call = self.call(
                model,
                at,
                tokens,
                int(rng.lognormvariate(5.3, 0.5)) if last else int(rng.lognormvariate(4.2, 0.4)),
                cached=cached,
                missed=None if cached or not step else int(tokens * 0.7),
                stream=True,
                finish="end_turn" if last else "tool_use",
                body=body,
                asks=None if last else tool,
                **place,
            )
            at = call.timestamp + call.duration_ms + 8
            if call.outcome.status != "success":
                failed = True
                break
            if not last:
                at = self.use(
                    tool, arguments, at, int(rng.lognormvariate(6.2, 0.7)), rng.randrange(16**16), place
                )
        self.span(
            "support agent",
            begun - 3,
            at - begun + 6,
            {**place, "parent": None},
            id=root,
            kind="invoke_agent",
            status="error" if failed else "success",
            error_type="anthropic.APIStatusError" if failed else None,
            input=json.dumps({"question": question}),
            output=None if failed else json.dumps(ANSWERS[number]),
        )
        if rng.random() < 0.3:
            self.scores.append(
                Score(
                    id=new_id(at, rng.randbytes(10)),
                    timestamp=at,
                    name="resolved",
                    value=float(not failed),
                    trace_id=trace,
                    comment="The customer closed the chat." if not failed else None,
                )
            )

    def use(
        self, tool: str, asked: dict[str, Any], at: int, ms: int, number: int, place: dict[str, Any]
    ) -> int:
        """A tool's run, within a step that tries it once more where it fails; the time after it."""
        step, begun, fails = f"{self.luck.randrange(16**16):016x}", at, self.luck.random() < 0.12
        within = {**place, "parent": step}
        about: dict[str, Any] = {"kind": "execute_tool", "input": json.dumps(asked)}
        if fails:
            self.span(
                tool,
                at,
                2000,
                within,
                id=f"{self.luck.randrange(16**16):016x}",
                status="error",
                error_type="bookshop.warehouse.WarehouseTimeout",
                error_message="no answer within 2 s",
                error_stack=STACK.format(tool=tool),
                **about,
            )
            at += 2100
        self.span(tool, at, ms, within, id=f"{number:016x}", output=json.dumps(FOUND), **about)
        at += ms
        self.span("look up", begun - 1, at - begun + 2, place, id=step)
        return at + 5

    def span(self, name: str, at: int, ms: int, place: dict[str, Any], **facts: Any) -> None:
        made = Span(
            trace_id=place["trace"],
            parent_id=place["parent"],
            name=name,
            timestamp=at,
            duration_ms=ms,
            status=facts.pop("status", "success"),
            service="bookshop",
            session_id=place["session"],
            user_id=place["user"],
            route=place["route"],
            tags=self.tags(at, place["route"]),
            **facts,
        )
        self.spans.append(made)

    def search(self, at: int) -> None:
        rng = self.rng
        tokens = rng.randrange(6, 40)
        query = "quiet novels about memory and loss"
        body = Body(
            request=json.dumps({"model": EMBED.name, "input": query}).encode(),
            response=json.dumps(
                {"data": [{"embedding": [0.01] * 8}], "usage": {"prompt_tokens": tokens}}
            ).encode(),
        )
        first = self.call(EMBED, at, tokens, None, route="POST /search", body=body)
        if rng.random() < 0.35:
            self.call(
                FLASH,
                at + first.duration_ms + 12,
                1800 + int(rng.lognormvariate(7, 0.5)),
                int(rng.lognormvariate(4.4, 0.4)),
                route="POST /search",
                body=self.chat_body(
                    FLASH, [{"role": "user", "content": f"Rank these for: {query}"}], "1, 4, 2, 3", at
                ),
                duplicate=rng.random() < 0.12,
            )

    def summary(self, at: int) -> None:
        rng = self.rng
        model = FLASH if rng.random() < 0.8 else HOUSE
        self.call(
            model,
            at,
            14_000 + int(rng.lognormvariate(9, 0.7)),
            int(rng.lognormvariate(5.8, 0.3)),
            stream=model is HOUSE,
            route="GET /documents/{id}/summary",
            user=f"u_{1000 + int(rng.paretovariate(0.9)) % 400}",
            body=self.chat_body(
                model, [{"role": "user", "content": "Summarise the attached catalogue."}], ANSWERS[3], at
            ),
        )

    def nightly(self, at: int) -> None:
        for _ in range(self.rng.randrange(20, 60)):
            call = self.call(HAIKU, at, 3000, 220, service="nightly-eval", body=None)
            at += call.duration_ms + 40

    # --- one call, with what may go wrong

    def call(self, model: Model, at: int, prompt: int, completion: int | None, **facts: Any) -> Call:
        made = self.attempt(model, at, prompt, completion, **facts)
        tries = 1
        while made.outcome.status == "error" and made.outcome.http_status in {429, 529} and tries < 3:
            tries += 1
            at = made.timestamp + made.duration_ms + (made.outcome.retry_after_ms or 700)
            again = self.attempt(model, at, prompt, completion, **facts)
            made = replace(again, attempt=tries, call_group=made.call_group)
            self.calls[-1] = made
        return made

    def attempt(
        self,
        model: Model,
        at: int,
        prompt: int,
        completion: int | None,
        *,
        cached: int | None = None,
        missed: int | None = None,
        stream: bool = False,
        finish: str = "stop",
        route: str | None = None,
        user: str | None = None,
        session: str | None = None,
        trace: str | None = None,
        parent: str | None = None,
        service: str = "bookshop",
        body: Body | None = None,
        duplicate: bool = False,
        asks: str | None = None,
    ) -> Call:
        rng = self.rng
        hour = (at - self.now) / HOUR + 24
        bad_night = 13 <= hour < 14.5 and model is SOL
        slow = 2.6 if bad_night else 1.0
        ttft = int(model.base_ms * slow * rng.lognormvariate(0, 0.45) * (1 + prompt / 60_000))
        answering = (
            int(1000 * (completion or 0) / model.speed * rng.lognormvariate(0, 0.25)) if model.speed else 0
        )
        outcome, status_usage = self.outcome(model, bad_night)
        usage = Usage()
        if status_usage:
            cached_ = cached or 0
            usage = Usage(
                prompt_tokens=prompt,
                completion_tokens=completion,
                cached_tokens=cached,
                reasoning_tokens=int((completion or 0) * 0.4) if model is SOL and completion else None,
                usage_source="provider",
                usage_raw=json.dumps(
                    {
                        "input_tokens": prompt - cached_,
                        "output_tokens": completion,
                        "cache_read_input_tokens": cached_,
                    }
                ),
            )
        duration = ttft + answering
        if outcome.status == "error":
            duration = 30_000 if outcome.http_status is None else int(180 * rng.lognormvariate(0, 0.5))
        if outcome.status == "cancelled":
            duration = ttft + answering // 3
        id_ = new_id(at, rng.randbytes(10))
        made = Call(
            id=id_,
            timestamp=at,
            api=model.api,
            outcome=outcome,
            usage=usage,
            model=model.name,
            request_model=model.name,
            provider=model.provider,
            host=model.host,
            sdk=model.sdk,
            stream=stream,
            duration_ms=max(duration, 3),
            ttft_ms=ttft if stream and outcome.status != "error" else None,
            finish_reason=finish if outcome.status == "success" and completion else None,
            request_id=f"req_{rng.randrange(16**20):020x}",
            rate_limit=self.limits(model, bad_night),
            attempt=1,
            call_group=id_,
            service=service,
            route=route,
            user_id=user,
            session_id=session,
            trace_id=trace,
            parent_id=parent,
            tags=self.tags(at, route),
            prompt_name=PROMPTS.get((route or "", model.provider)) or PROMPTS.get((route or "", "")),
            prompt_hash=_version(body),
            tools=json.dumps([asks]) if asks and outcome.status == "success" else None,
            duplicate_of=new_id(at - 60_000, rng.randbytes(10)) if duplicate else None,
            cache_missed_tokens=missed if outcome.status == "success" else None,
            body=body
            if outcome.status != "error" or body is None
            else Body(request=body.request, response=None),
        )
        made = replace(made, cost=self.prices.cost(made))
        if missed and made.cost and outcome.status == "success":
            made = replace(made, cache_missed_nanousd=made.cost.cost_nanousd // 2)
        self.calls.append(made)
        return made

    def outcome(self, model: Model, bad_night: bool) -> tuple[Outcome, bool]:
        rng = self.rng
        dice = rng.random()
        if bad_night and dice < 0.3:
            wait = rng.choice((600, 2100, 8400))
            return Outcome(
                status="error",
                http_status=429,
                error_type="rate_limit_exceeded",
                error_message=(
                    f"Rate limit reached for {model.name} in organization org-bK3x9vTqLm on tokens per min "
                    f"(TPM): Limit 200000, Used {rng.randrange(180000, 200000)}, Requested "
                    f"{rng.randrange(900, 9000)}. Please try again in {wait / 1000}s."
                ),
                retry_after_ms=wait,
            ), False
        if model.provider == "anthropic" and dice < 0.004:
            return Outcome(
                status="error", http_status=529, error_type="overloaded_error", error_message="Overloaded"
            ), False
        if dice < 0.0015:
            return Outcome(
                status="error",
                http_status=400,
                error_type="invalid_request_error",
                error_message=f"prompt is too long: {rng.randrange(200_001, 240_000)} tokens > 200000",
            ), False
        if dice < 0.003:
            return Outcome(
                status="error", error_type="httpx2.ReadTimeout", error_message="The read operation timed out"
            ), False
        if dice < 0.011 and model.speed:
            return Outcome(status="cancelled", http_status=200), True
        return Outcome(status="success", http_status=200), True

    def limits(self, model: Model, bad_night: bool) -> str | None:
        rng = self.rng
        if model.provider == "anthropic":
            return json.dumps(
                {
                    "anthropic-ratelimit-requests-limit": "4000",
                    "anthropic-ratelimit-requests-remaining": str(rng.randrange(3700, 3999)),
                    "anthropic-ratelimit-input-tokens-limit": "2000000",
                    "anthropic-ratelimit-input-tokens-remaining": str(rng.randrange(900_000, 1_900_000)),
                    "anthropic-ratelimit-input-tokens-reset": "2026-11-24T14:21:00Z",
                }
            )
        if model.provider == "openai":
            left = (
                0
                if bad_night
                else rng.randrange(20_000, 60_000)
                if model is SOL
                else rng.randrange(140_000, 199_000)
            )
            return json.dumps(
                {
                    "x-ratelimit-limit-requests": "5000",
                    "x-ratelimit-remaining-requests": str(rng.randrange(4800, 4999)),
                    "x-ratelimit-limit-tokens": "200000",
                    "x-ratelimit-remaining-tokens": str(left),
                    "x-ratelimit-reset-tokens": "2.1s",
                }
            )
        return None

    def tags(self, at: int, route: str | None) -> dict[str, str] | None:
        release = "2026.11.4" if at < self.now - RELEASED else "2026.11.5"
        return {"team": TEAMS[route], "release": release} if route else None

    # --- contents

    def system(self, at: int) -> str:
        return SYSTEM if at < self.now - RELEASED else SYSTEM_NOW

    def chat_body(self, model: Model, messages: list[dict[str, Any]], answer: str, at: int) -> Body:
        if model.api == "anthropic.messages":
            asked = {
                "model": model.name,
                "max_tokens": 1024,
                "system": self.system(at),
                "messages": messages,
                "stream": True,
            }
            return Body(
                request=json.dumps(asked).encode(),
                response=_anthropic_stream([{"type": "text", "text": answer}]),
            )
        if model.api == "gemini.generate":
            asked = {"contents": [{"role": "user", "parts": [{"text": messages[-1]["content"]}]}]}
            said = {"candidates": [{"content": {"role": "model", "parts": [{"text": answer}]}}]}
            return Body(request=json.dumps(asked).encode(), response=json.dumps(said).encode())
        asked = {
            "model": model.name,
            "temperature": 0.3,
            "messages": [
                *([{"role": "system", "content": self.system(at)}] if model is not HOUSE else []),
                *messages,
            ],
            "stream": True,
        }
        chunks = [{"choices": [{"index": 0, "delta": {"content": word + " "}}]} for word in answer.split()]
        said_ = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        return Body(request=json.dumps(asked).encode(), response=said_.encode())

    def agent_body(
        self,
        model: Model,
        question: str,
        tool: str,
        arguments: dict[str, Any],
        answer: str,
        step: int,
        at: int,
        *,
        last: bool,
    ) -> Body:
        if model.api == "anthropic.messages":
            messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
            for number in range(step):
                call = {"type": "tool_use", "id": f"toolu_{number:02}", "name": tool, "input": arguments}
                result = {
                    "type": "tool_result",
                    "tool_use_id": f"toolu_{number:02}",
                    "content": json.dumps(FOUND),
                }
                messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
            asked: dict[str, Any] = {
                "model": model.name,
                "max_tokens": 4096,
                "temperature": 0.2,
                "system": [{"type": "text", "text": self.system(at), "cache_control": {"type": "ephemeral"}}],
                "tools": [
                    {"name": name, "input_schema": {}}
                    for name in ("search_orders", "search_stock", "read_policy")
                ],
                "messages": messages,
                "stream": True,
            }
            blocks: list[dict[str, Any]] = [{"type": "text", "text": answer}]
            if not last:
                blocks = [
                    {
                        "type": "thinking",
                        "thinking": "The customer asks about something I have to look up first.",
                    },
                    {"type": "tool_use", "id": f"toolu_{step:02}", "name": tool, "input": arguments},
                ]
            return Body(request=json.dumps(asked).encode(), response=_anthropic_stream(blocks))
        items: list[dict[str, Any]] = [{"role": "user", "content": question}]
        for number in range(step):
            items += [
                {
                    "type": "function_call",
                    "call_id": f"call_{number}",
                    "name": tool,
                    "arguments": json.dumps(arguments),
                },
                {"type": "function_call_output", "call_id": f"call_{number}", "output": json.dumps(FOUND)},
            ]
        asked = {
            "model": model.name,
            "instructions": self.system(at),
            "reasoning": {"effort": "low"},
            "tools": [
                {"type": "function", "name": name}
                for name in ("search_orders", "search_stock", "read_policy")
            ],
            "input": items,
            "stream": True,
        }
        output: dict[str, Any] = {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": answer}],
        }
        if not last:
            output = {
                "type": "function_call",
                "call_id": f"call_{step}",
                "name": tool,
                "arguments": json.dumps(arguments),
            }
        done = {"type": "response.completed", "response": {"output": [output]}}
        return Body(
            request=json.dumps(asked).encode(),
            response=f"event: response.completed\ndata: {json.dumps(done)}\n\n".encode(),
        )


def _version(body: Body | None) -> str | None:
    """Of the fixed part of a request: what the system says, in whatever format, and the tools on offer."""
    asked = json.loads(body.request) if body and body.request else {}
    first = [one["content"] for one in asked.get("messages") or () if one["role"] == "system"]
    said = [*first, *(asked.get(name) or "" for name in ("system", "instructions"))]
    texts = [part["text"] for one in said for part in (one if isinstance(one, list) else [{"text": one}])]
    fixed = "".join(texts) + "".join(map(json.dumps, asked.get("tools") or ()))
    return blake2b(fixed.encode(), digest_size=6).hexdigest() if fixed else None


def _anthropic_stream(blocks: list[dict[str, Any]]) -> bytes:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"role": "assistant", "content": []}}
    ]
    for index, block in enumerate(blocks):
        kind = block["type"]
        if kind == "tool_use":
            events.append(
                {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}
            )
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        else:
            events.append(
                {"type": "content_block_start", "index": index, "content_block": {"type": kind, kind: ""}}
            )
            delta = {"type": f"{kind}_delta", kind: block[kind]}
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_stop"})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def population(now: int, *, days: float = 2, busy: float = 1.0, seed: int = 11) -> Batch:
    """Everything up to now; ``busy`` is how many things happen."""
    shop = Shop(now, seed)
    happenings = (
        (shop.chat, 14, None),
        (shop.agent, 9, None),
        (shop.search, 55, None),
        (shop.summary, 6, None),
    )
    for happen, per_hour, _ in happenings:
        for at in _moments(shop.rng, now, days, per_hour * busy):
            happen(at)
    for day in range(math.ceil(days)):
        shop.nightly(now - day * DAY - 11 * HOUR)
    calls = sorted((call for call in shop.calls if call.timestamp <= now), key=lambda call: call.id)
    deploy = Marker(
        id=new_id(now - RELEASED, shop.luck.randbytes(10)), timestamp=now - RELEASED, name="deploy 2026.11.5"
    )
    return Batch(calls=calls, spans=shop.spans, scores=shop.scores, markers=(deploy,))


def _moments(rng: random.Random, now: int, days: float, per_hour: float) -> Iterator[int]:
    at = now - int(days * DAY)
    while at < now:
        hour = at / HOUR % 24
        rate = per_hour * (0.15 + 0.85 * math.exp(-(((hour - 14) / 4.5) ** 2)))
        at += int(rng.expovariate(rate) * HOUR)
        if at < now:
            yield at
