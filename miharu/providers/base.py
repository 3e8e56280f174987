"""The seam for a wire format: static rules for the caller's path, and a reader for the worker.

Rule      which requests it may be: plain data, matched without running any of the plug-in's code
Wire      one exchange, decoded
Reading   what it says
Provider  Wire -> Reading; and where it also has ``messages``, what was said in a call, for people to read
          (``messages.py``); where it has ``fixed``, which part of a request is the prompt (``fixed.py``)

What a call is to be paid for reaches its price in two ways:

- Tokens go into ``Usage``, and the provider's own usage object as it is into ``usage_raw``. What each field
  of it is to a price stands in ``miharu/pricing/billing/fields.py``, by wire format: counted among the
  tokens, a part of another field, free, or a quantity with a unit. A field that is not there and speaks of
  something countable leaves the call without a cost, so a new field of a built-in format needs a line there,
  and a new format a table, unless its reader puts the usage together itself and names each quantity in it.
  The usage object of a plug-in's format is not looked into.
- All else that the request or the answer tells of goes into ``Reading.quantities`` and ``Reading.terms``;
  both are kept in ``usage_raw`` under ``miharu``, so that ``miharu reprice`` knows them as well. A quantity
  is named by the unit of genai-prices where there is one (``web_searches``, ``storage_searches``,
  ``code_executions``, ``rerank_searches``, ``input_audio_seconds``, ``input_characters``,
  ``input_document_pages``, ``input_video_tokens``), and else by any word: what no list has a price for leaves
  the call without a cost. So does a paid tool that ran, even where nothing says how often: it is 1 of
  something without a unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from miharu._quick import quickly_made
from miharu.call import Usage
from miharu.providers.rules import Rule
from miharu.wire.decoded import Wire

__all__ = ("Provider", "Reading", "Rule", "Wire")


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an exchange says, in the normal form. Whether it succeeded is judged from it in one place."""

    terminated: bool
    """The format's own end was seen: the end marker of a stream, or a whole JSON body."""
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    """As the response names it."""
    request_model: str | None = None
    stream: bool = False
    ttft_ms: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    """Set where the provider reports an error, with any HTTP status."""
    finish_reason: str | None = None
    service_tier: str | None = None
    response_id: str | None = None
    quantities: Mapping[str, float] = field(default_factory=dict)
    """What is to be paid beside the fields of the usage object: how many, by unit."""
    terms: Mapping[str, str] = field(default_factory=dict)
    """What decides on the price beside model, date and service tier, such as ``{"latency": "optimized"}``."""
    stated_cost_usd: Decimal | None = None
    """What the provider or gateway itself says that it cost, in US dollars; preferred over any price."""
    opens: bool = False
    """The work goes on after this answer, and a later exchange of that ``response_id`` ends it."""
    completes: bool = False
    """It is the end of a call that an earlier exchange with the same ``response_id`` has opened."""
    began_ms: int | None = None
    """When that call began, in Unix milliseconds by the provider's clock.

    Where that is not said, only the end of a call that the same process has opened is known as one.
    """
    is_cancelled: bool = False
    """The provider has cancelled it, because the program or its user wanted something else."""
    conversation_id: str | None = None
    """Of the session of the provider that it belongs to (OpenTelemetry's ``gen_ai.conversation.id``)."""
    lasted_ms: int | None = None
    """How long it took, by the provider's clock."""

    @property
    def is_error(self) -> bool:
        """Whether the provider itself reports one."""
        return self.error_type is not None or self.error_message is not None


class Provider(Protocol):
    """Reads one wire format."""

    @property
    def api(self) -> str:
        """Its name, stored with each call, such as ``openai.chat``."""
        ...

    @property
    def rules(self) -> Sequence[Rule]:
        """Which requests it may be."""
        ...

    def read(self, wire: Wire) -> Reading | None:
        """Say what the exchange was, or ``None``: it only looked like a call in this format.

        Runs in the worker. The bytes are not trusted: they may be truncated, malformed or hostile.
        """
        ...
