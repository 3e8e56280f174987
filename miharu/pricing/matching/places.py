"""Where a call was answered, and what that does to its price.

Some places cost more than the list says, which is of the provider's global service; of others the price is
not known.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

__all__ = ("STANDARD", "factor_of")

STANDARD = Decimal(1)
_TENTH_MORE = Decimal("1.1")

# https://platform.openai.com/docs/pricing: ten percent for regional processing, of models that were released
# on 2026-03-05 or later
_OPENAI_HOST = re.compile(r"(?:(?P<region>[a-z0-9.-]+)\.)?api\.openai\.com")
_OPENAI_PROCESSING = {"us", "eu"}
_OPENAI_STORING = {"us", "eu", "au", "ca", "jp", "in", "sg", "kr", "gb", "uk", "ae"}
_OPENAI_NEW = re.compile(
    r"gpt-5\.[4-9](?:-(?:pro|mini|nano|sol|terra|luna))?\Z|gpt-[6-9](?:\.\d+)?-(?:astra|sol|terra|luna|rosalind)\Z"
)
_OPENAI_OLD = re.compile(
    r"gpt-3\.5|gpt-4(?![0-9])|gpt-5(?:\Z|-(?![0-9]))|gpt-5\.[0-3]|o[134](?:\Z|-)|ft:gpt-|chatgpt-4o|text-|whisper-1"
    r"|tts-1|moderation|davinci|babbage|curie|ada\Z|codex-mini|computer-use|gpt-image-1|gpt-audio|gpt-realtime(?:-mini)?\Z"
)

# https://cloud.google.com/vertex-ai/generative-ai/pricing: ten percent for endpoints of a region or several,
# from Claude 4.5 and Gemini 3.1 Flash on
_VERTEX_HOST = re.compile(
    r"(?:(?P<region>[a-z0-9-]+)-)?aiplatform(?:\.(?P<several>[a-z]+)\.rep)?\.googleapis\.com"
)
_CLAUDE_OLD = re.compile(
    r"claude-(?:3|v1|2|instant|4-opus|4-sonnet|opus-4-[01]\b|sonnet-4-0|opus-4\Z|sonnet-4\Z)"
)
_GEMINI_OLD = re.compile(r"gemini-(?:[12]\.|live-2|flash-1|pro-1|pro\Z|embedding|1)|text-")
_GEMINI_NEW = re.compile(
    r"gemini-3\.1-flash-(?:image|lite)(?!-image)|gemini-3\.5-flash|gemini-3\.[678]-flash(?!.*tts)|gemini-4-"
)

_BEDROCK_HOST = re.compile(r"(?:.+\.)?bedrock-[a-z-]+\.(?P<region>[a-z0-9-]+)\..+")
_LISTED_REGIONS = {"us-east-1", "us-east-2", "us-west-2"}
"""For models whose price differs by region, the list has that of the United States."""
_OTHER_AREAS = {"eu", "apac", "jp", "au", "ca", "in", "sa", "me", "af", "ap"}
"""How the ids of profiles begin that run in one part of the world."""


def factor_of(
    provider: str | None, host: str | None, terms: Mapping[str, str], model: "ModelInfo", name: str
) -> Decimal | None:
    """By what the list's price is multiplied; ``None`` where the price there is not known.

    Args:
        provider: By the name of the list.
        host: That was asked.
        terms: What the reader has found; ``location`` among them.
        model: The entry of the list.
        name: By which it was found.
    """
    host = (host or "").partition(":")[0].lower()
    if provider == "openai":
        return _openai(host, model.id)
    if provider == "google" and (found := _VERTEX_HOST.fullmatch(host)):
        place = terms.get("location") or found["region"] or found["several"] or "global"
        return STANDARD if place == "global" else _vertex(model.id)
    if provider == "google" and "location" in terms and terms["location"] != "global":
        return _vertex(model.id)
    if provider == "aws":
        return _bedrock(host, model.id, name)
    return STANDARD


def _openai(host: str, model: str) -> Decimal | None:
    found = _OPENAI_HOST.fullmatch(host)
    region = found["region"] if found else None
    if region is None:
        return STANDARD
    if region not in _OPENAI_STORING:
        return None
    if _OPENAI_NEW.match(model):
        return _TENTH_MORE if region in _OPENAI_PROCESSING else None
    return STANDARD if _OPENAI_OLD.match(model) else None


def _vertex(model: str) -> Decimal | None:
    if "claude" in model:
        return STANDARD if _CLAUDE_OLD.search(model) else _TENTH_MORE
    if _GEMINI_OLD.match(model):
        return STANDARD
    return _TENTH_MORE if _GEMINI_NEW.match(model) else None


def _bedrock(host: str, model: str, name: str) -> Decimal | None:
    found = _BEDROCK_HOST.fullmatch(host)
    region = found["region"] if found else None
    if region and region.startswith(("us-gov-", "cn-")):
        return None
    if "anthropic." in model or model.startswith(("global.", "regional.")):
        return STANDARD
    area = name.partition(".")[0]
    at_home = area == "us" or region is None or region in _LISTED_REGIONS
    return STANDARD if at_home and area not in _OTHER_AREAS else None
