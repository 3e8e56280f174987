"""Mistral's OCR (https://docs.mistral.ai/api/endpoint/ocr), beside its OpenAI-like formats: paid by page."""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import answer_of, is_meant, reading_of
from miharu.providers.openai._usage import usage_of
from miharu.wire.json import count, mapping

__all__ = ("MistralOCR",)

_ANNOTATIONS = ("document_annotation_format", "bbox_annotation_format")


class MistralOCR:
    """Reads ``POST …/ocr``."""

    api = "mistral.ocr"
    rules = (Rule("/ocr"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="document", answered="usage_info"):
            return None
        answer = answer_of(wire)
        info = mapping(answer.get("usage_info"))
        annotated = any(wire.asked.get(name) for name in _ANNOTATIONS)
        pages = count(info, "pages_processed")
        # annotated pages have a price of their own, and only the request says that they were
        beside = {"annotated_pages": pages} if annotated and pages else {}
        return reading_of(wire, answer, stream=False, usage=usage_of(info, beside))
