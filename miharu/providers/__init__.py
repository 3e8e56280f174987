"""Wire formats. Here are the built-in ones, in the order in which they are tried.

base.py        the seam
rules.py       which requests a format may be
turns.py       how the messages of a WebSocket session are divided into calls
known_rules.py the same of all built-in formats, without loading them
on_use.py      what stands for each until the first call that it may have to read
hosts.py       who answers at a host
terms.py       what any exchange may say of its price
gateways.py    answers that come from the cache of a gateway
messages.py    what was said in a call, for people
fixed.py       the part of a request that stays the same
results.py     the results of tools that a request brings
bodies/        captured bodies, read again as messages
openai/        and the many who speak it
anthropic/     its messages, wherever they are served
google/        Gemini and Vertex AI
aws/           Bedrock and SageMaker
cohere/        and the two versions of its API
mistral/       what it does not share with OpenAI
ollama/        its own API
others/        formats of one module each
batches.py     what formats say of the results of a batch
_session.py    the messages of one call of such a session
_jobs.py       work that goes on after the answer, and counts other things than tokens
"""

from miharu.plugins import built_in

__all__ = ("BUILT_IN",)

BUILT_IN = built_in(
    "miharu.providers",
    {
        "openai.chat": "miharu.providers.openai.completions.chat:OpenAIChat",
        "openai.responses": "miharu.providers.openai.responses:OpenAIResponses",
        "openai.realtime": "miharu.providers.openai.realtime:OpenAIRealtime",
        "openai.completions": "miharu.providers.openai.completions.legacy:OpenAICompletions",
        "openai.embeddings": "miharu.providers.openai.embeddings:OpenAIEmbeddings",
        "openai.images": "miharu.providers.openai.media.images:OpenAIImages",
        "openai.transcriptions": "miharu.providers.openai.media.audio:OpenAITranscriptions",
        "openai.speech": "miharu.providers.openai.media.audio:OpenAISpeech",
        "openai.decisions": "miharu.providers.openai.decisions:OpenAIDecisions",
        "openai.videos": "miharu.providers.openai.media.videos:OpenAIVideos",
        "openai.moderations": "miharu.providers.openai.moderations:OpenAIModerations",
        "openai.assistants": "miharu.providers.openai.assistants:OpenAIAssistants",
        "openai.batches": "miharu.providers.openai.batches:OpenAIBatches",
        "mistral.ocr": "miharu.providers.mistral.ocr:MistralOCR",
        "mistral.conversations": "miharu.providers.mistral.conversations:MistralConversations",
        "anthropic.messages": "miharu.providers.anthropic.messages:AnthropicMessages",
        "anthropic.complete": "miharu.providers.anthropic.complete:AnthropicComplete",
        "anthropic.batches": "miharu.providers.anthropic.batches:AnthropicBatches",
        "bedrock.converse": "miharu.providers.aws.converse:BedrockConverse",
        "bedrock.invoke": "miharu.providers.aws.invoke:BedrockInvoke",
        "bedrock.agents": "miharu.providers.aws.agents:BedrockAgents",
        "sagemaker.invocations": "miharu.providers.aws.sagemaker:SageMakerInvocations",
        "gemini.generate": "miharu.providers.google.generate:GeminiGenerate",
        "gemini.live": "miharu.providers.google.live:GeminiLive",
        "gemini.embed": "miharu.providers.google.embed:GeminiEmbed",
        "gemini.batches": "miharu.providers.google.batches:GeminiBatches",
        "gemini.interactions": "miharu.providers.google.interactions:GeminiInteractions",
        "gemini.videos": "miharu.providers.google.videos:GeminiVideos",
        "vertex.predict": "miharu.providers.google.embed:VertexPredict",
        "cohere.chat": "miharu.providers.cohere.chat:CohereChat",
        "cohere.v1.chat": "miharu.providers.cohere.v1:CohereV1Chat",
        "cohere.v1.generate": "miharu.providers.cohere.v1:CohereV1Generate",
        "cohere.embed": "miharu.providers.cohere.embed:CohereEmbed",
        "cohere.classify": "miharu.providers.cohere.classify:CohereClassify",
        "rerank": "miharu.providers.others.rerank:Rerank",
        "ollama.chat": "miharu.providers.ollama.api:OllamaChat",
        "ollama.generate": "miharu.providers.ollama.api:OllamaGenerate",
        "ollama.embed": "miharu.providers.ollama.api:OllamaEmbed",
        "writer.chat": "miharu.providers.others.writer:WriterChat",
        "watsonx.generate": "miharu.providers.others.watsonx:WatsonxGenerate",
        "watsonx.chat": "miharu.providers.others.watsonx:WatsonxChat",
        "huggingface.tgi": "miharu.providers.others.huggingface:TextGenerationInference",
        "replicate.predictions": "miharu.providers.others.replicate:Replicate",
        "aleph_alpha.complete": "miharu.providers.others.aleph_alpha:AlephAlphaComplete",
        "deepgram.speak": "miharu.providers.others.deepgram:DeepgramSpeak",
        "deepgram.listen": "miharu.providers.others.deepgram:DeepgramListen",
        "deepgram.read": "miharu.providers.others.deepgram:DeepgramRead",
        "assemblyai.transcripts": "miharu.providers.others.assemblyai:AssemblyAITranscripts",
        "elevenlabs": "miharu.providers.others.elevenlabs:ElevenLabs",
        "xai.speech": "miharu.providers.others.xai:XAISpeech",
        "xai.transcripts": "miharu.providers.others.xai:XAITranscripts",
        "fal": "miharu.providers.others.fal:Fal",
    },
)
