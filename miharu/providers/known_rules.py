"""The rules of all built-in formats, made by ``scripts/known_rules``: do not edit them here.

The gate needs them when ``miharu.init()`` is called, on the program's own thread, which has no time to import
the formats themselves; and the recorder imports a format with the first call that it may have to read. A test
compares.
"""

from collections.abc import Mapping, Sequence

from miharu.providers import turns
from miharu.providers.rules import Rule

__all__ = ("KNOWN_RULES",)

KNOWN_RULES: Mapping[str, Sequence[Rule]] = {
    "openai.chat": (
        Rule("/chat/completions"),
        Rule("/agents/completions", host=".mistral.ai"),
        Rule("/completions"),
    ),
    "openai.responses": (
        Rule("/responses"),
        Rule("/responses/compact"),
        Rule("/responses", method="GET"),
        Rule("/responses", method="WEBSOCKET", turns=turns.OPENAI_RESPONSES),
    ),
    "openai.realtime": (
        Rule("/realtime", host="api.x.ai", method="WEBSOCKET", turns=turns.XAI_VOICE),
        Rule("/realtime", method="WEBSOCKET", turns=turns.OPENAI_REALTIME),
    ),
    "openai.completions": (Rule("/completions"),),
    "openai.embeddings": (Rule("/embeddings"),),
    "openai.images": (
        Rule("/images/generations"),
        Rule("/images/edits"),
        Rule("/images/variations"),
        Rule("/images", host="openrouter.ai"),
    ),
    "openai.transcriptions": (
        Rule("/audio/transcriptions"),
        Rule("/audio/translations"),
    ),
    "openai.speech": (Rule("/audio/speech"),),
    "openai.decisions": (Rule("/decisions"),),
    "openai.videos": (
        Rule("/videos", host=".openai.com"),
        Rule("/videos/generations", host=".openai.com"),
        Rule("/videos/edits", host=".openai.com"),
        Rule("/videos/extensions", host=".openai.com"),
        Rule("/remix", host=".openai.com"),
        Rule("/videos", host=".openai.com", method="GET"),
        Rule("/videos", host=".openai.azure.com"),
        Rule("/videos/generations", host=".openai.azure.com"),
        Rule("/videos/edits", host=".openai.azure.com"),
        Rule("/videos/extensions", host=".openai.azure.com"),
        Rule("/remix", host=".openai.azure.com"),
        Rule("/videos", host=".openai.azure.com", method="GET"),
        Rule("/videos", host="api.x.ai"),
        Rule("/videos/generations", host="api.x.ai"),
        Rule("/videos/edits", host="api.x.ai"),
        Rule("/videos/extensions", host="api.x.ai"),
        Rule("/remix", host="api.x.ai"),
        Rule("/videos", host="api.x.ai", method="GET"),
    ),
    "openai.moderations": (Rule("/moderations"),),
    "openai.assistants": (
        Rule("/runs"),
        Rule("/submit_tool_outputs"),
    ),
    "openai.batches": (
        Rule("/batches", method="GET"),
        Rule("/batch/jobs", host=".mistral.ai", method="GET"),
        Rule("/files", method="GET", file="/content"),
    ),
    "mistral.ocr": (Rule("/ocr"),),
    "mistral.conversations": (Rule(host="api.mistral.ai"),),
    "anthropic.messages": (
        Rule("/v1/messages"),
        Rule(":rawPredict"),
        Rule(":streamRawPredict"),
    ),
    "anthropic.complete": (Rule("/v1/complete"),),
    "anthropic.batches": (
        Rule("/messages/batches", method="GET"),
        Rule("/messages/batches", method="GET", file="/results"),
    ),
    "bedrock.converse": (
        Rule("/converse"),
        Rule("/converse-stream"),
    ),
    "bedrock.invoke": (
        Rule("/invoke"),
        Rule("/invoke-with-response-stream"),
    ),
    "bedrock.agents": (
        Rule("/text"),
        Rule("/retrieveAndGenerate"),
        Rule("/retrieveAndGenerateStream"),
    ),
    "sagemaker.invocations": (
        Rule("/invocations"),
        Rule("/invocations-response-stream"),
    ),
    "gemini.generate": (
        Rule(":generateContent"),
        Rule(":streamGenerateContent"),
    ),
    "gemini.live": (
        Rule("BidiGenerateContent", method="WEBSOCKET", turns=turns.GEMINI_LIVE),
        Rule("BidiGenerateContentConstrained", method="WEBSOCKET", turns=turns.GEMINI_LIVE),
    ),
    "gemini.embed": (
        Rule(":embedContent"),
        Rule(":batchEmbedContents"),
    ),
    "gemini.batches": (
        Rule("/batches", method="GET"),
        Rule("/files", method="GET", file=":download"),
    ),
    "gemini.interactions": (
        Rule("/interactions"),
        Rule("/interactions", method="GET"),
    ),
    "gemini.videos": (
        Rule(":predictLongRunning"),
        Rule(":fetchPredictOperation", host=".googleapis.com"),
        Rule("/operations", host=".googleapis.com", method="GET"),
    ),
    "vertex.predict": (Rule(":predict"),),
    "cohere.chat": (Rule("/v2/chat"),),
    "cohere.v1.chat": (Rule("/v1/chat"),),
    "cohere.v1.generate": (Rule("/v1/generate"),),
    "cohere.embed": (
        Rule("/v1/embed"),
        Rule("/v2/embed"),
    ),
    "cohere.classify": (
        Rule("/v1/classify", host=".cohere.com"),
        Rule("/v1/classify", host=".cohere.ai"),
        Rule("/v2/parse", host=".cohere.com"),
        Rule("/v2/parse", host=".cohere.ai"),
    ),
    "rerank": (Rule("/rerank"),),
    "ollama.chat": (Rule("/api/chat"),),
    "ollama.generate": (Rule("/api/generate"),),
    "ollama.embed": (
        Rule("/api/embed"),
        Rule("/api/embeddings"),
    ),
    "writer.chat": (Rule("/v1/chat", host="api.writer.com"),),
    "watsonx.generate": (Rule(host=".ml.cloud.ibm.com"),),
    "watsonx.chat": (Rule(host=".ml.cloud.ibm.com"),),
    "huggingface.tgi": (
        Rule("/generate"),
        Rule("/generate_stream"),
        Rule(host=".endpoints.huggingface.cloud"),
    ),
    "replicate.predictions": (
        Rule("/predictions", host="api.replicate.com"),
        Rule("/predictions", host="api.replicate.com", method="GET"),
    ),
    "aleph_alpha.complete": (Rule("/complete", host="api.aleph-alpha.com"),),
    "deepgram.speak": (
        Rule("/v1/speak", host=".deepgram.com"),
        Rule("/v2/speak", host=".deepgram.com"),
    ),
    "deepgram.listen": (
        Rule("/v1/listen", host=".deepgram.com"),
        Rule("/v2/listen", host=".deepgram.com"),
    ),
    "deepgram.read": (Rule("/v1/read", host=".deepgram.com"),),
    "assemblyai.transcripts": (
        Rule("/v2/transcript", host=".assemblyai.com"),
        Rule("/v2/transcript", host=".assemblyai.com", method="GET"),
    ),
    "elevenlabs": (Rule(host=".elevenlabs.io"),),
    "xai.speech": (Rule("/v1/tts", host="api.x.ai"),),
    "xai.transcripts": (Rule("/v1/stt", host="api.x.ai"),),
    "fal": (
        Rule(host="fal.run"),
        Rule(host="falrun.com"),
        Rule("/requests", host="queue.fal.run", method="GET"),
        Rule("/requests", host="queue.falrun.com", method="GET"),
    ),
}
