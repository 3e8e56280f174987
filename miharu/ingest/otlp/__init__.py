"""Spans of OpenTelemetry, from any language and instrumentor, as calls and spans: one call is one row.

endpoint.py  what is sent to /v1/traces and /v1/logs, and what is answered
sorting.py   which spans are calls, which are wrappers of calls, and which are here already
memory.py    what was taken in a while ago
kinds.py     what kind of a thing a span is
rows.py      a span as a call, or as a span of ours
work.py      what kind of work a span is, and which tools a call asked for
content.py   prompts and answers
facts.py     what the attributes say, in all the conventions that there are
protobuf.py  the messages in protobuf
plain.py     the messages in JSON
records.py   a span and a log record, as they were sent

Imports go down this list.
"""

__all__ = ()
