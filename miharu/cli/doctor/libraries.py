"""Which libraries that speak to models are installed, through which HTTP client, and whether they are seen.

The client follows from what the installed version says it requires, and the format from miharu's own
providers, so neither is a list that grows old.
"""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miharu.providers.base import Rule

__all__ = ("CLIENTS", "ON", "SEEN", "Library", "Sight", "look", "patch_points", "versions")

_POINTS = {
    "httpx2": ("Client._send_single_request", "AsyncClient._send_single_request"),
    "httpx": ("Client._send_single_request", "AsyncClient._send_single_request"),
    "aiohttp": ("ClientSession._request",),
    "urllib3": ("HTTPConnectionPool.urlopen", "HTTPConnectionPool._make_request"),
    "websockets": ("ClientProtocol.send_request", "ClientProtocol.recv_frame"),
}
_MODULES = {"websockets": "websockets.client"}
"""Where a client's patch points are, if not in the package itself."""
SEEN = tuple(_POINTS)
ON = {"requests": "urllib3", "botocore": "urllib3"}
"""Clients that run on another, which is seen."""
CLIENTS = (*SEEN, *ON, "grpcio")
"""Clients that speak to a network; those whose calls are seen come first."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library that speaks to models."""

    name: str
    host: str = ""
    path: str | None = None
    """Where it posts to, for a typical call; ``None`` where that depends on the provider it is used with."""
    through: str | None = None
    """The library that it sends its calls with, where it does not send them itself."""
    async_aiohttp: bool = False
    """Its asynchronous calls go through aiohttp wherever that is installed."""
    unseen: str = ""
    """Which of its calls are not seen, where others are."""
    session: str = ""
    """Where its sessions over WebSockets go to, for one that is seen."""
    never: str = ""
    """Why none of its calls can be seen, where that has another reason than its client or its format."""


_BEDROCK = "bedrock-runtime.us-east-1.amazonaws.com"
LIBRARIES = (
    Library("openai", "api.openai.com", "/v1/responses", session="/v1/realtime"),
    Library("anthropic", "api.anthropic.com", "/v1/messages"),
    Library(
        "google-genai",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini:generateContent",
        async_aiohttp=True,
        session="/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
    ),
    Library("mistralai", "api.mistral.ai", "/v1/chat/completions"),
    Library("groq", "api.groq.com", "/openai/v1/chat/completions"),
    Library("cohere", "api.cohere.com", "/v2/chat"),
    Library("together", "api.together.ai", "/v1/chat/completions"),
    Library("ollama", "127.0.0.1", "/api/chat"),
    Library("huggingface_hub", "router.huggingface.co", "/v1/chat/completions"),
    Library("litellm"),
    Library("langchain-openai", "api.openai.com", "/v1/chat/completions", through="openai"),
    Library("pydantic-ai-slim", session="/v1/realtime"),
    Library("openai-agents", "api.openai.com", "/v1/responses", through="openai", session="/v1/realtime"),
    Library("cerebras-cloud-sdk", "api.cerebras.ai", "/v1/chat/completions"),
    Library("fireworks-ai", "api.fireworks.ai", "/inference/v1/chat/completions"),
    Library("replicate", "api.replicate.com", "/v1/predictions"),
    Library("ibm-watsonx-ai", "us-south.ml.cloud.ibm.com", "/ml/v1/text/chat"),
    Library("deepgram-sdk", "api.deepgram.com", "/v1/listen", unseen="live streams, through websockets"),
    Library(
        "elevenlabs",
        "api.elevenlabs.io",
        "/v1/text-to-speech/voice",
        unseen="live streams, through websockets",
    ),
    Library("assemblyai", "api.assemblyai.com", "/v2/transcript", unseen="live streams, through websockets"),
    Library("fal-client", "queue.fal.run", "/fal-ai/flux/dev"),
    Library("voyageai", "api.voyageai.com", "/v1/embeddings", through="requests", async_aiohttp=True),
    Library(
        "azure-ai-inference",
        "models.inference.ai.azure.com",
        "/chat/completions",
        through="requests",
        async_aiohttp=True,
    ),
    Library(
        "dashscope",
        "dashscope.aliyuncs.com",
        "/api/v1/services/aigc/text-generation/generation",
        through="requests",
        async_aiohttp=True,
    ),
    Library("boto3", _BEDROCK, "/model/any/converse", through="botocore"),
    Library("langchain-aws", _BEDROCK, "/model/any/converse", through="botocore"),
    Library("strands-agents", _BEDROCK, "/model/any/converse-stream", through="botocore"),
    Library("xai-sdk", "api.x.ai", through="grpcio"),
    Library("google-cloud-aiplatform", "us-central1-aiplatform.googleapis.com", through="grpcio"),
    Library("google-generativeai", "generativelanguage.googleapis.com", through="grpcio"),
    Library("claude-agent-sdk", never="its calls are made by another program, claude, which it starts"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One installed library, and whether its calls are seen."""

    name: str
    version: str
    client: str
    seen: bool
    unseen: str = ""
    """Which of its calls are not seen, where others are."""
    why: str
    """Why its calls are seen or not, for people."""


def look() -> Iterator[Sight]:
    """Every library above that is installed here."""
    rules = _rules()
    for library in LIBRARIES:
        try:
            installed = version(library.name)
        except PackageNotFoundError:
            continue
        client = (
            library.through if library.through in CLIENTS else _client_of(library.through or library.name)
        )
        client = ON.get(client or "", client)
        seen, why = _judge(library, client, rules)
        unseen = library.unseen if seen else ""
        name = (
            library.name
            if library.through in {None, client}
            else f"{library.name} (through {library.through})"
        )
        if seen and library.session and importlib.util.find_spec("websockets") and _opens(library, rules):
            why += "; its sessions through websockets"
        why += f"; not its {unseen}" if unseen else ""
        yield Sight(
            name=name, version=installed, client=client or "unknown", seen=seen, unseen=unseen, why=why
        )


def versions() -> dict[str, str]:
    """The installed HTTP clients."""
    found = {}
    for name in CLIENTS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def patch_points(client: str) -> list[str]:
    """The functions that miharu watches and this client does not have; empty when all is well."""
    module = importlib.import_module(_MODULES.get(client, client))
    missing = []
    for point in _POINTS[client]:
        owner, _, name = point.partition(".")
        if not hasattr(getattr(module, owner, None), name):
            missing.append(f"{module.__name__}.{point}")
    return missing


def _judge(library: Library, client: str | None, rules: "tuple[Rule, ...]") -> tuple[bool, str]:
    if library.never:
        return False, f"no: {library.never}"
    if client not in SEEN:
        return False, f"not yet: calls through {client or 'its HTTP client'} are not seen"
    if library.path is None:
        return True, "yes, for every provider whose format is read"
    if not any(rule.matches("POST", library.host, library.path) for rule in rules):
        return False, "not yet: its format is not read"
    if library.async_aiohttp and importlib.util.find_spec("aiohttp"):
        return True, "yes; its asynchronous calls through aiohttp"
    return True, "yes"


def _opens(library: Library, rules: "tuple[Rule, ...]") -> bool:
    return any(rule.matches("WEBSOCKET", library.host, library.session) for rule in rules)


def _client_of(name: str) -> str | None:
    try:
        requires = distribution(name).requires or ()
    except PackageNotFoundError:
        return None
    needed = set()
    for line in requires:
        spec, _, marker = line.partition(";")
        found = re.match(r"[\w.-]+", spec)
        if found and "extra" not in marker:
            needed.add(found[0].lower())
    return next((client for client in CLIENTS if client in needed), None)


def _rules() -> "tuple[Rule, ...]":
    from miharu.plugins import installed, load
    from miharu.providers import BUILT_IN

    points = (*BUILT_IN, *installed("miharu.providers"))
    return tuple(rule for _, provider in load(points) for rule in provider.rules)
