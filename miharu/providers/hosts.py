"""Who answers at a host, in OpenTelemetry's words where it has one (``gen_ai.provider.name``)."""

import re
from functools import lru_cache

__all__ = ("provider_of",)

_HOSTS = (
    (r"(?:.+\.)?api\.openai\.com", "openai"),
    (r".+\.openai\.azure\.com", "azure.ai.openai"),
    (r".+\.cognitiveservices\.azure\.com", "azure.ai.openai"),
    (r".+\.services\.ai\.azure\.com", "azure.ai.inference"),
    (r".+\.models\.ai\.azure\.com", "azure.ai.inference"),
    (r"(?:.+\.)?openrouter\.ai", "openrouter"),
    (r"api\.groq\.com", "groq"),
    (r"api\.together\.(?:ai|xyz)", "together"),
    (r"api\.deepseek\.com", "deepseek"),
    (r"(?:api|codestral)(?:\..+)?\.mistral\.ai", "mistral_ai"),
    (r"api\.fireworks\.ai", "fireworks"),
    (r"api\.perplexity\.ai", "perplexity"),
    (r"(?:.+\.)?api\.x\.ai", "x_ai"),
    (r"api\.cerebras\.ai", "cerebras"),
    (r"api\.moonshot\.(?:ai|cn)", "moonshot_ai"),
    (r"api\.z\.ai", "zai"),
    (r"open\.bigmodel\.cn", "zhipuai"),
    (r"(?:router|api-inference)\.huggingface\.co", "huggingface"),
    (r".+\.(?:azuredatabricks\.net|(?:cloud|gcp)\.databricks\.com)", "databricks"),
    (r".+\.snowflakecomputing\.com", "snowflake"),
    (r"api\.cloudflare\.com", "cloudflare"),
    (r"(?:.+\.)?inference\.heroku\.com", "heroku"),
    (r"(?:.+\.)?inference\.crusoecloud\.com", "crusoe"),
    (r"api\.deepinfra\.com", "deepinfra"),
    (r"api\.novita\.ai", "novita"),
    (r"api\.sambanova\.ai", "sambanova"),
    (r"api\.(?:studio|tokenfactory)\.nebius\.(?:ai|com)", "nebius"),
    (r"inference\.baseten\.co", "baseten"),
    (r"api\.minimaxi?\.(?:com|io|chat)", "minimax"),
    (r"oai\.endpoints\.kepler\.ai\.cloud\.ovh\.net", "ovhcloud"),
    (r"api\.githubcopilot\.com", "github_copilot"),
    (r"integrate\.api\.nvidia\.com", "nvidia"),
    (r"api\.voyageai\.com", "voyageai"),
    (r"api\.anthropic\.com", "anthropic"),
    (r"aws-external-anthropic\..+\.api\.aws", "anthropic"),
    (r"claude\.googleapis\.com", "gcp.vertex_ai"),
    (r"aiplatform\.(?:us|eu)\.rep\.googleapis\.com", "gcp.vertex_ai"),
    (r"bedrock-mantle\..+\.api\.aws", "aws.bedrock"),
    (
        r"(?:.+\.)?bedrock-(?:agent-)?runtime(?:-fips)?\..+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)",
        "aws.bedrock",
    ),
    (r"(?:.+\.)?runtime(?:-fips)?\.sagemaker\..+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)", "aws.sagemaker"),
    (r"generativelanguage\.googleapis\.com", "gcp.gemini"),
    (r"(?:.+-)?aiplatform\.googleapis\.com", "gcp.vertex_ai"),
    (r"api\.cohere\.(?:com|ai)", "cohere"),
    (r"(?:.+\.)?ollama\.com", "ollama"),
    (r".+\.ml\.cloud\.ibm\.com", "ibm.watsonx.ai"),
    (r"api\.writer\.com", "writer"),
    (r".+\.endpoints\.huggingface\.cloud", "huggingface"),
    (r"api\.replicate\.com", "replicate"),
    (r"api\.aleph-alpha\.com", "aleph_alpha"),
    (r"api(?:\..+)?\.deepgram\.com", "deepgram"),
    (r"(?:.+\.)?elevenlabs\.io", "elevenlabs"),
    (r"(?:.+\.)?assemblyai\.com", "assemblyai"),
    (r"(?:queue\.)?(?:fal\.run|falrun\.com)", "fal"),
)
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in _HOSTS)


@lru_cache(512)
def provider_of(host: str) -> str | None:
    """The provider behind a host (a port is ignored), or ``None``: a proxy, or a server of the user's own."""
    name = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return next((provider for pattern, provider in _PATTERNS if pattern.fullmatch(name)), None)
