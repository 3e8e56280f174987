"""Wire formats. Here are the built-in ones, in the order in which they are tried.

base.py        the seam
rules.py       which requests a format may be
known_rules.py the same of all built-in formats, without loading them
on_use.py      what stands for each until the first call that it may have to read
hosts.py       who answers at a host
terms.py       what any exchange may say of its price
gateways.py    answers that come from the cache of a gateway
messages.py    what was said in a call, for people
openai/        and the many who speak it; writer.py and watsonx.py have an address of their own
anthropic/     its messages, wherever they are served
google/        Gemini and Vertex AI
aws/           Bedrock and SageMaker
cohere/        and rerank.py, which others speak as well
ollama/        its own API
_jobs.py       work that goes on after the answer, and counts other things than tokens

One file each: mistral.py, huggingface.py, aleph_alpha.py, replicate.py, fal.py, xai.py; and of speech,
deepgram.py, elevenlabs.py and assemblyai.py.
"""

from miharu.plugins import built_in

__all__ = ("BUILT_IN",)

BUILT_IN = built_in(
    "miharu.providers",
    {
        "openai.chat": "miharu.providers.openai.chat:OpenAIChat",
        "openai.responses": "miharu.providers.openai.responses:OpenAIResponses",
        "openai.completions": "miharu.providers.openai.completions:OpenAICompletions",
        "openai.embeddings": "miharu.providers.openai.embeddings:OpenAIEmbeddings",
        "openai.images": "miharu.providers.openai.images:OpenAIImages",
        "openai.transcriptions": "miharu.providers.openai.audio:OpenAITranscriptions",
        "openai.speech": "miharu.providers.openai.audio:OpenAISpeech",
        "openai.decisions": "miharu.providers.openai.decisions:OpenAIDecisions",
        "openai.videos": "miharu.providers.openai.videos:OpenAIVideos",
        "openai.moderations": "miharu.providers.openai.moderations:OpenAIModerations",
        "openai.assistants": "miharu.providers.openai.assistants:OpenAIAssistants",
        "mistral.ocr": "miharu.providers.openai.ocr:MistralOCR",
        "mistral.conversations": "miharu.providers.mistral:MistralConversations",
        "anthropic.messages": "miharu.providers.anthropic.messages:AnthropicMessages",
        "anthropic.complete": "miharu.providers.anthropic.complete:AnthropicComplete",
        "bedrock.converse": "miharu.providers.aws.converse:BedrockConverse",
        "bedrock.invoke": "miharu.providers.aws.invoke:BedrockInvoke",
        "bedrock.agents": "miharu.providers.aws.agents:BedrockAgents",
        "sagemaker.invocations": "miharu.providers.aws.sagemaker:SageMakerInvocations",
        "gemini.generate": "miharu.providers.google.generate:GeminiGenerate",
        "gemini.embed": "miharu.providers.google.embed:GeminiEmbed",
        "gemini.interactions": "miharu.providers.google.interactions:GeminiInteractions",
        "gemini.videos": "miharu.providers.google.videos:GeminiVideos",
        "vertex.predict": "miharu.providers.google.embed:VertexPredict",
        "cohere.chat": "miharu.providers.cohere.chat:CohereChat",
        "cohere.v1.chat": "miharu.providers.cohere.v1:CohereV1Chat",
        "cohere.v1.generate": "miharu.providers.cohere.v1:CohereV1Generate",
        "cohere.embed": "miharu.providers.cohere.embed:CohereEmbed",
        "cohere.classify": "miharu.providers.cohere.classify:CohereClassify",
        "rerank": "miharu.providers.rerank:Rerank",
        "ollama.chat": "miharu.providers.ollama.api:OllamaChat",
        "ollama.generate": "miharu.providers.ollama.api:OllamaGenerate",
        "ollama.embed": "miharu.providers.ollama.api:OllamaEmbed",
        "writer.chat": "miharu.providers.writer:WriterChat",
        "watsonx.generate": "miharu.providers.watsonx:WatsonxGenerate",
        "watsonx.chat": "miharu.providers.watsonx:WatsonxChat",
        "huggingface.tgi": "miharu.providers.huggingface:TextGenerationInference",
        "replicate.predictions": "miharu.providers.replicate:Replicate",
        "aleph_alpha.complete": "miharu.providers.aleph_alpha:AlephAlphaComplete",
        "deepgram.speak": "miharu.providers.deepgram:DeepgramSpeak",
        "deepgram.listen": "miharu.providers.deepgram:DeepgramListen",
        "deepgram.read": "miharu.providers.deepgram:DeepgramRead",
        "assemblyai.transcripts": "miharu.providers.assemblyai:AssemblyAITranscripts",
        "elevenlabs": "miharu.providers.elevenlabs:ElevenLabs",
        "xai.speech": "miharu.providers.xai:XAISpeech",
        "xai.transcripts": "miharu.providers.xai:XAITranscripts",
        "fal": "miharu.providers.fal:Fal",
    },
)
