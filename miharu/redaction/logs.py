"""The log without credentials: one filter on miharu's own logger.

What is logged holds other people's texts: exceptions that carry an address, errors of a database, names of
files. A traceback is made a text here, because handlers that keep the exception itself, as error trackers do,
would keep the values of its frames too, and headers are among them.
"""

import logging
import traceback
from functools import cache

__all__ = ("LINK", "Redacting", "watch_log")

LINK = "miharu_link"
"""An extra of the one record that is meant to show a token: the link to the dashboard."""


class Redacting(logging.Filter):
    """Passes each record on, its text redacted."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, LINK, False):
            return True
        try:
            from miharu.redaction.text import redacted
            from miharu.redaction.values import remembered

            text = record.getMessage()
            if record.exc_info and isinstance(record.exc_info, tuple):
                text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.msg = redacted(text, remembered())
        except Exception as error:  # noqa: BLE001 - a log that cannot be redacted is not shown
            record.msg = f"miharu: what was to be logged could not be read ({type(error).__name__})."
        record.args, record.exc_info, record.exc_text, record.stack_info = None, None, None, None
        return True


@cache
def watch_log() -> None:
    """Redact all that is logged as ``miharu`` from now on."""
    logging.getLogger("miharu").addFilter(Redacting())
