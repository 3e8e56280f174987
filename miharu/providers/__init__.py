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
    },
)
