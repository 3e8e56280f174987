"""OpenAI Embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, is_meant, reading_of

__all__ = ("OpenAIEmbeddings",)


class OpenAIEmbeddings:
    """Reads ``POST …/embeddings``."""

    api = "openai.embeddings"
    rules = (Rule("/embeddings"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="input", answered="data"):
            return None
        return reading_of(wire, answer_of(wire), stream=False)
