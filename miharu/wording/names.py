"""What people call things: providers as they write themselves, errors that are only a number."""

__all__ = ("error_name", "provider_name")

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
    return _PROVIDERS.get(provider or "", provider or "unknown provider")


def error_name(kind: str | None) -> str:
    """The type of an error; some providers have only a number for it."""
    return f"error {kind}" if kind and kind.isdecimal() else kind or "error"
