"""What was said in a call, from its captured bodies."""

from collections.abc import Sequence

from miharu.call import Call
from miharu.providers.base import Provider
from miharu.providers.bodies import plain
from miharu.providers.bodies.formats import format_of, shape_of
from miharu.providers.bodies.objects import objects_of, request_of
from miharu.providers.messages import Said

__all__ = ("said_in",)

MOST_MESSAGES = 1_000
"""Of each side; a conversation's last ones."""


def said_in(call: Call, own: Sequence[Provider] = ()) -> Said | None:
    """Its messages and tools; ``None`` where nothing was kept, or where it cannot be made out.

    Args:
        call: With its body.
        own: Wire formats that the program has brought.
    """
    if call.body is None:
        return None
    try:
        (request, _), (answers, _) = request_of(call), objects_of(call)
        form = format_of(call.api, own) or shape_of(request) or plain
        whole = form.messages(request, answers)
        return Said(
            asked=[one for one in whole.asked if one.parts][-MOST_MESSAGES:],
            answered=[one for one in whole.answered if one.parts][-MOST_MESSAGES:],
            tools=list(whole.tools)[:MOST_MESSAGES],
        )
    except Exception:  # noqa: BLE001 - these bytes are not trusted
        return None
