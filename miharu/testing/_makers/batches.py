"""Batches of OpenAI, Anthropic and Gemini. They run when they are created, and end at once.

A request of a batch that names a fault, such as the model ``error-429``, fails with that status. Gemini's are
those whose requests stand in the batch itself.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from miharu.testing import _faults
from miharu.testing._makers import anthropic, gemini
from miharu.testing._makers.anthropic import Anthropic
from miharu.testing._makers.base import Asked, Headers, Kit, Maker, RefusedError
from miharu.testing._makers.gemini import Gemini
from miharu.testing._makers.openai import OpenAI, answer_to
from miharu.testing._replies import Reply, json_reply

__all__ = ("Batches",)

_FILES = re.compile(r"/files(?:/([^/]+?)(/content)?)?/?$")
_OPENAI = re.compile(r"/v1/batches(?:/([^/]+?)(/cancel)?)?/?$")
_ANTHROPIC = re.compile(r"/v1/messages/batches(?:/([^/]+?)(/results|/cancel)?)?/?$")
_GEMINI = re.compile(r"/(?:models/([^/:]+):batchGenerateContent|v1beta/batches/([^/]+))$")
_FILE = re.compile(rb'filename="[^"]*"(?:\r\n[^\r\n]+)*\r\n\r\n(.*?)\r\n--', re.DOTALL)
_REMEMBERED = 100
_AT_ONCE = 100
"""Lines of results that are sent in one piece."""


class Batches:
    """Speaks of them."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._makers: Mapping[re.Pattern[str], Maker] = {
            _ANTHROPIC: Anthropic(kit),
            _GEMINI: Gemini(kit),
            _OPENAI: OpenAI(kit),
            _FILES: OpenAI(kit),
        }
        self._replies: Mapping[re.Pattern[str], Callable[[Asked, re.Match[str]], Reply]] = {
            _ANTHROPIC: self._anthropics,
            _GEMINI: self._geminis,
            _OPENAI: self._openais,
            _FILES: self._file,
        }
        self._kept: OrderedDict[str, Any] = OrderedDict()
        """Files, batches and results, by their ids."""

    def takes(self, asked: Asked) -> bool:
        return any(pattern.search(asked.path) for pattern in self._replies)

    def model(self, asked: Asked) -> str | None:  # noqa: ARG002 - each of its requests names its own
        return None

    def reply(self, asked: Asked, *, broken: bool) -> Reply:  # noqa: ARG002 - nothing is streamed
        for pattern, reply in self._replies.items():
            if found := pattern.search(asked.path):
                return reply(asked, found)
        raise RefusedError(404, asked.path)

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        return self._makers[_OPENAI].error(status, message, quota=quota)

    def headers(self, millis: int, served: int) -> Headers:
        return self._makers[_OPENAI].headers(millis, served)

    def _keep(self, id_: str, value: Any) -> None:
        self._kept[id_] = value
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)

    def _known(self, id_: str) -> Any:
        if id_ not in self._kept:
            raise RefusedError(404, f"Nothing is known of '{id_}'.")
        return self._kept[id_]

    def _file(self, asked: Asked, found: re.Match[str]) -> Reply:
        id_, content = found[1], found[2]
        if id_ is None:
            lines = _FILE.search(asked.body) if isinstance(asked.body, bytes) else None
            if lines is None:
                raise RefusedError(400, "'file' is a required property")
            return json_reply(self._filed(lines[1]))
        facts, data = self._known(id_)
        return _lines(data.splitlines()) if content else json_reply(facts)

    def _filed(self, data: bytes) -> dict[str, Any]:
        facts = {
            "id": f"file-{self._kit.ids()}",
            "object": "file",
            "bytes": len(data),
            "created_at": self._kit.now,
            "filename": "batch.jsonl",
            "purpose": "batch",
            "status": "processed",
        }
        self._keep(str(facts["id"]), (facts, data))
        return facts

    def _openais(self, asked: Asked, found: re.Match[str]) -> Reply:
        if found[1] is not None:  # Gemini's are at the same address
            return json_reply(self._kept.get(f"batches/{found[1]}") or self._known(found[1]))
        _, data = self._known(asked.body["input_file_id"])
        endpoint = asked.body["endpoint"]
        lines = [self._openai_line(json.loads(line), endpoint) for line in data.splitlines() if line.strip()]
        failed = [line for line in lines if line["response"]["status_code"] != 200]
        files = [
            self._filed(b"\n".join(json.dumps(line).encode() for line in some))["id"] if some else None
            for some in ([line for line in lines if line not in failed], failed)
        ]
        now = self._kit.now
        begun = {
            "id": f"batch_{self._kit.ids()}",
            "object": "batch",
            "endpoint": endpoint,
            "errors": None,
            "input_file_id": asked.body["input_file_id"],
            "completion_window": asked.body.get("completion_window", "24h"),
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "completed_at": None,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "metadata": asked.body.get("metadata"),
        }
        counts = {"total": len(lines), "completed": len(lines) - len(failed), "failed": len(failed)}
        ended = {"status": "completed", "completed_at": now, "request_counts": counts}
        names = {"output_file_id": files[0], "error_file_id": files[1]}
        self._keep(begun["id"], begun | ended | names)
        return json_reply(begun)

    def _openai_line(self, line: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
        body, status = line["body"], 200
        if code := _failure(body.get("model")):
            status, answer = code, _faults.error_json(code)
        else:
            answer = answer_to(self._kit, endpoint.removeprefix("/v1/"), body)
        id_ = blake2b(f"{self._kit.ids()} {line['custom_id']}".encode(), digest_size=12).hexdigest()
        return {
            "id": f"batch_req_{self._kit.now:08x}{id_}",
            "custom_id": line["custom_id"],
            "response": {"status_code": status, "request_id": f"req_{self._kit.ids()}", "body": answer},
            "error": None,
        }

    def _anthropics(self, asked: Asked, found: re.Match[str]) -> Reply:
        id_, action = found[1], found[2]
        if action == "/results":
            return _lines(json.dumps(line).encode() for line in self._known(f"results of {id_}"))
        if id_ is not None:
            return json_reply(self._known(id_))
        lines = [self._anthropic_line(each) for each in asked.body["requests"]]
        kinds = [line["result"]["type"] for line in lines]
        nothing = {"processing": 0, "canceled": 0, "expired": 0}
        id_ = f"msgbatch_{self._kit.ids()}"
        begun = {
            "id": id_,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": nothing | {"processing": len(lines), "succeeded": 0, "errored": 0},
            "created_at": _iso(self._kit.now),
            "expires_at": _iso(self._kit.now + 86_400),
            "ended_at": None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
        host = asked.headers.get("host", "127.0.0.1")
        self._keep(f"results of {id_}", lines)
        self._keep(
            id_,
            begun
            | {
                "processing_status": "ended",
                "ended_at": _iso(self._kit.now),
                "request_counts": nothing | {name: kinds.count(name) for name in ("succeeded", "errored")},
                "results_url": f"http://{host}/v1/messages/batches/{id_}/results",
            },
        )
        return json_reply(begun)

    def _anthropic_line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        params = line["params"]
        if code := _failure(params.get("model")):
            error = json.loads(self._makers[_ANTHROPIC].error(code).body)
            return {"custom_id": line["custom_id"], "result": {"type": "errored", "error": error}}
        made = self._kit.generate(anthropic.prompt_of(params))
        message = anthropic.message(params, made, self._kit.ids())
        message["usage"]["service_tier"] = "batch"
        return {"custom_id": line["custom_id"], "result": {"type": "succeeded", "message": message}}

    def _geminis(self, asked: Asked, found: re.Match[str]) -> Reply:
        model, id_ = found[1], found[2]
        if id_ is not None:
            return json_reply(self._known(f"batches/{id_}"))
        batch = asked.body["batch"]
        listed = (batch.get("inputConfig") or batch["input_config"])["requests"]["requests"]
        name, now = f"batches/{self._kit.ids()}", _iso(self._kit.now)
        kind = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
        metadata = {
            "@type": kind,
            "name": name,
            "model": f"models/{model}",
            "displayName": batch.get("displayName") or "",
            "createTime": now,
            "updateTime": now,
            "state": "BATCH_STATE_PENDING",
        }
        lines = {"inlinedResponses": [self._gemini_line(each, model) for each in listed]}
        output = {"@type": f"{kind}Output", "inlinedResponses": lines}
        ended = metadata | {"endTime": now, "state": "BATCH_STATE_SUCCEEDED", "output": output}
        self._keep(name, {"name": name, "metadata": ended, "done": True, "response": output})
        return json_reply({"name": name, "metadata": metadata})

    def _gemini_line(self, line: Mapping[str, Any], model: str) -> dict[str, Any]:
        kept = {"metadata": line["metadata"]} if line.get("metadata") else {}
        if code := _failure(model):
            error = json.loads(self._makers[_GEMINI].error(code).body)["error"]
            return kept | {"error": {"code": code, "message": error["message"]}}
        made = self._kit.generate(gemini.prompt_of(line["request"], model))
        return kept | {"response": gemini.answer(made, gemini.response_id(self._kit))}


def _failure(model: object) -> int | None:
    """The status of the fault that the model is named after."""
    fault = _faults.fault_of({}, model)
    return _faults.status_of(fault) if fault else None


def _lines(lines: Iterable[bytes]) -> Reply:
    """A file of lines."""
    every = list(lines)
    frames = (
        b"".join(line + b"\n" for line in every[start : start + _AT_ONCE])
        for start in range(0, len(every), _AT_ONCE)
    )
    return Reply(headers=(("content-type", "application/x-jsonl"),), frames=frames)


def _iso(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
