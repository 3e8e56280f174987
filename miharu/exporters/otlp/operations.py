"""What a wire format is in the words of the conventions: the operation, and who provides it."""

__all__ = ("EMBEDDINGS", "OPERATIONS", "SEPARATE_SYSTEM", "operation_of", "provider_of")

EMBEDDINGS = "embeddings"
OPERATIONS = {
    "openai.chat": "chat",
    "openai.responses": "chat",
    "openai.assistants": "chat",
    "openai.realtime": "chat",
    "openai.completions": "text_completion",
    "openai.embeddings": EMBEDDINGS,
    "openai.images": "image_generation",
    "openai.videos": "video_generation",
    "openai.transcriptions": "transcription",
    "openai.speech": "speech",
    "openai.decisions": "chat",
    "openai.moderations": "moderation",
    "openai.batches": "chat",
    "mistral.ocr": "ocr",
    "mistral.conversations": "chat",
    "anthropic.messages": "chat",
    "anthropic.complete": "text_completion",
    "anthropic.batches": "chat",
    "bedrock.converse": "chat",
    "bedrock.invoke": "chat",
    "bedrock.agents": "invoke_agent",
    "sagemaker.invocations": "chat",
    "gemini.generate": "generate_content",
    "gemini.live": "generate_content",
    "gemini.embed": EMBEDDINGS,
    "gemini.batches": "generate_content",
    "gemini.interactions": "generate_content",
    "gemini.videos": "video_generation",
    "vertex.predict": EMBEDDINGS,
    "cohere.chat": "chat",
    "cohere.v1.chat": "chat",
    "cohere.v1.generate": "text_completion",
    "cohere.embed": EMBEDDINGS,
    "cohere.classify": "classify",
    "rerank": "rerank",
    "ollama.chat": "chat",
    "ollama.generate": "text_completion",
    "ollama.embed": EMBEDDINGS,
    "writer.chat": "chat",
    "watsonx.generate": "text_completion",
    "watsonx.chat": "chat",
    "huggingface.tgi": "text_completion",
    "replicate.predictions": "generate_content",
    "aleph_alpha.complete": "text_completion",
    "deepgram.speak": "speech",
    "deepgram.listen": "transcription",
    "deepgram.read": "analysis",
    "assemblyai.transcripts": "transcription",
    "elevenlabs": "speech",
    "xai.speech": "speech",
    "xai.transcripts": "transcription",
    "fal": "generate_content",
}
"""By wire format. Where the conventions have no word (images, speech, ranking), it is one of ours."""
SEPARATE_SYSTEM = frozenset(
    {
        "openai.responses",
        "openai.realtime",
        "openai.assistants",
        "mistral.conversations",
        "anthropic.messages",
        "bedrock.converse",
        "bedrock.invoke",
        "gemini.generate",
        "gemini.live",
        "gemini.interactions",
        "cohere.v1.chat",
    }
)
"""The wire formats that send instructions to the model beside the messages, and not as one of them."""
_PROVIDERS = {
    "mistral": "mistral_ai",
    "bedrock": "aws.bedrock",
    "sagemaker": "aws.sagemaker",
    "gemini": "gcp.gen_ai",
    "vertex": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def operation_of(api: str) -> str:
    """The operation; of a plug-in's wire format, the last part of its name."""
    return OPERATIONS.get(api) or api.rpartition(".")[2]


def provider_of(api: str, provider: str | None) -> str:
    """The provider by its host, otherwise by whose wire format it is: the conventions require one."""
    first = api.partition(".")[0]
    return provider or _PROVIDERS.get(first, first)
