"""A price of one's own, for ``miharu.init(prices={"my-model": miharu.Price(input=0.5, output=2)})``."""

import math
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation

from miharu.errors import ConfigError

__all__ = ("Amount", "Price")

Amount = int | float | str | Decimal
"""US dollars; a text or a ``Decimal`` where the digits have to be exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs, in US dollars: tokens by the million, all else by the piece.

    What a call used and this price leaves out, a web search say, leaves the call without a cost.

    Args:
        input: A million tokens of the prompt.
        output: A million tokens of the completion.
        cached_input: A million tokens that were read from a cache; by default as ``input``.
        cache_write: A million tokens that were written to a cache; by default as ``input``.
        cache_write_1h: The same where they are kept for an hour; by default as ``cache_write``.
        audio_input: A million tokens of sound in the prompt.
        audio_output: A million tokens of sound in the completion.
        per_request: Each call.
        per_search: Each search of the web.

    Raises:
        ConfigError: An amount is not valid, or none is given.
    """

    input: Amount | None = None
    output: Amount | None = None
    cached_input: Amount | None = None
    cache_write: Amount | None = None
    cache_write_1h: Amount | None = None
    audio_input: Amount | None = None
    audio_output: Amount | None = None
    per_request: Amount | None = None
    per_search: Amount | None = None

    def __post_init__(self) -> None:
        if not self.amounts():
            raise ConfigError("miharu.Price(): give at least one amount, such as input=0.5.", "prices")

    def amounts(self) -> dict[str, Decimal]:
        """What was given, as it was written.

        Raises:
            ConfigError: An amount is not valid.
        """
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: _amount(name, value) for name, value in given if value is not None}


def _amount(name: str, value: object) -> Decimal:
    refusal = ConfigError(
        f"miharu.Price({name}={value!r}): give US dollars as a number that is not negative, such as 0.5.",
        "prices",
    )
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise refusal
    try:
        # the shortest text of a float is what was written
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise refusal from None
    if not amount.is_finite() or amount < 0 or math.isinf(float(amount)):
        raise refusal
    return amount
