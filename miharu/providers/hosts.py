"""Who answers at a host, in OpenTelemetry's words where it has one (``gen_ai.provider.name``)."""

import re

__all__ = ("provider_of",)

_HOSTS = (
    (r"(?:.+\.)?api\.openai\.com", "openai"),
    (r".+\.openai\.azure\.com", "azure.ai.openai"),
    (r".+\.cognitiveservices\.azure\.com", "azure.ai.openai"),
    (r".+\.services\.ai\.azure\.com", "azure.ai.inference"),
    (r"(?:.+\.)?openrouter\.ai", "openrouter"),
    (r"api\.groq\.com", "groq"),
    (r"api\.together\.(?:ai|xyz)", "together"),
    (r"api\.deepseek\.com", "deepseek"),
    (r"api(?:\..+)?\.mistral\.ai", "mistral_ai"),
    (r"api\.fireworks\.ai", "fireworks"),
    (r"api\.perplexity\.ai", "perplexity"),
    (r"api\.x\.ai", "x_ai"),
    (r"api\.cerebras\.ai", "cerebras"),
    (r"api\.moonshot\.(?:ai|cn)", "moonshot_ai"),
    (r"api\.z\.ai", "zai"),
    (r"router\.huggingface\.co", "huggingface"),
    (r"api\.voyageai\.com", "voyageai"),
    (r"bedrock-mantle\..+\.api\.aws", "aws.bedrock"),
    (r"generativelanguage\.googleapis\.com", "gcp.gemini"),
    (r"(?:.+-)?aiplatform\.googleapis\.com", "gcp.vertex_ai"),
)
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in _HOSTS)


def provider_of(host: str) -> str | None:
    """The provider behind a host (a port is ignored), or ``None``: a proxy, or a server of the user's own."""
    name = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return next((provider for pattern, provider in _PATTERNS if pattern.fullmatch(name)), None)
