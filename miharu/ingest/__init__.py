"""What other programs send is taken in here, beside the pages: for a server, and for a mounted dashboard.

/v1/miharu        batches of other miharus, and the sums that their budgets need
/v1/traces        spans, and /v1/logs log records, of anything that speaks OpenTelemetry's protocol

door.py      one request: its token, its bounds, its answer
answer.py    what is answered
rate.py      how often one address may send
clean.py     what was sent, without credentials
batches.py   what another miharu sends
sums.py      what another miharu asks
otlp/        what instrumentors of OpenTelemetry send

Imports go down this list. Nothing is answered before it is stored: until then it is the sender's.
"""

from miharu.ingest.door import Ingest

__all__ = ("Ingest",)
