"""Wire formats, one file each. The built-in ones, in the order in which they are tried."""

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
        "openai.moderations": "miharu.providers.openai.moderations:OpenAIModerations",
        "openai.assistants": "miharu.providers.openai.assistants:OpenAIAssistants",
        "mistral.ocr": "miharu.providers.openai.ocr:MistralOCR",
        "anthropic.messages": "miharu.providers.anthropic.messages:AnthropicMessages",
        "anthropic.complete": "miharu.providers.anthropic.complete:AnthropicComplete",
        "bedrock.converse": "miharu.providers.aws.converse:BedrockConverse",
        "bedrock.invoke": "miharu.providers.aws.invoke:BedrockInvoke",
        "bedrock.agents": "miharu.providers.aws.agents:BedrockAgents",
        "sagemaker.invocations": "miharu.providers.aws.sagemaker:SageMakerInvocations",
        "gemini.generate": "miharu.providers.google.generate:GeminiGenerate",
        "gemini.embed": "miharu.providers.google.embed:GeminiEmbed",
        "gemini.interactions": "miharu.providers.google.interactions:GeminiInteractions",
        "vertex.predict": "miharu.providers.google.embed:VertexPredict",
        "cohere.chat": "miharu.providers.cohere.chat:CohereChat",
        "cohere.v1.chat": "miharu.providers.cohere.v1:CohereV1Chat",
        "cohere.v1.generate": "miharu.providers.cohere.v1:CohereV1Generate",
        "cohere.embed": "miharu.providers.cohere.embed:CohereEmbed",
        "rerank": "miharu.providers.rerank:Rerank",
        "ollama.chat": "miharu.providers.ollama:OllamaChat",
        "ollama.generate": "miharu.providers.ollama:OllamaGenerate",
        "ollama.embed": "miharu.providers.ollama:OllamaEmbed",
        "writer.chat": "miharu.providers.writer:WriterChat",
        "watsonx.generate": "miharu.providers.watsonx:WatsonxGenerate",
        "watsonx.chat": "miharu.providers.watsonx:WatsonxChat",
        "huggingface.tgi": "miharu.providers.huggingface:TextGenerationInference",
        "replicate.predictions": "miharu.providers.replicate:Replicate",
        "aleph_alpha.complete": "miharu.providers.aleph_alpha:AlephAlphaComplete",
        "deepgram.speak": "miharu.providers.deepgram:DeepgramSpeak",
    },
)
