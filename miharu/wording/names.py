"""Names as people read them: of providers and errors, and what stands where nothing is known."""

from collections.abc import Mapping

__all__ = ("UNKNOWN", "error_name", "model_name", "provider_name")

UNKNOWN: Mapping[str, str] = {
    "model": "unknown model",
    "provider": "unknown provider",
    "route": "no route known",
    "user": "no user named",
    "service": "no service named",
    "prompt": "no fixed part",
}
"""By breakdown: what stands where nothing is known."""

_PROVIDERS = {
    "aleph_alpha": "Aleph Alpha",
    "anthropic": "Anthropic",
    "aws.bedrock": "AWS Bedrock",
    "aws.sagemaker": "AWS SageMaker",
    "azure.ai.inference": "Azure AI",
    "azure.ai.openai": "Azure OpenAI",
    "baseten": "Baseten",
    "cerebras": "Cerebras",
    "cloudflare": "Cloudflare",
    "cohere": "Cohere",
    "crusoe": "Crusoe",
    "databricks": "Databricks",
    "deepgram": "Deepgram",
    "deepinfra": "DeepInfra",
    "deepseek": "DeepSeek",
    "fireworks": "Fireworks",
    "gcp.gemini": "Google",
    "gcp.gen_ai": "Google",
    "gcp.vertex_ai": "Google Vertex AI",
    "github_copilot": "GitHub Copilot",
    "groq": "Groq",
    "heroku": "Heroku",
    "huggingface": "Hugging Face",
    "ibm.watsonx.ai": "IBM watsonx",
    "minimax": "MiniMax",
    "mistral_ai": "Mistral",
    "moonshot_ai": "Moonshot AI",
    "nebius": "Nebius",
    "novita": "Novita",
    "nvidia": "NVIDIA",
    "ollama": "Ollama",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "ovhcloud": "OVHcloud",
    "perplexity": "Perplexity",
    "replicate": "Replicate",
    "sambanova": "SambaNova",
    "snowflake": "Snowflake",
    "together": "Together",
    "voyageai": "Voyage AI",
    "writer": "Writer",
    "x_ai": "xAI",
    "zai": "Z.ai",
    "zhipuai": "Zhipu AI",
}


def provider_name(provider: str | None) -> str:
    """As the provider writes itself."""
    return _PROVIDERS.get(provider or "", provider or UNKNOWN["provider"])


def model_name(model: str | None) -> str:
    """The model, or that neither the answer nor the request named one."""
    return model or UNKNOWN["model"]


def error_name(kind: str | None) -> str:
    """The type of an error; some providers have only a number for it."""
    return f"error {kind}" if kind and kind.isdecimal() else kind or "error"
