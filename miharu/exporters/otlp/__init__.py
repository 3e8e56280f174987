"""OpenTelemetry out: calls, spans and scores to any OTLP/HTTP endpoint, as protocol buffers.

exporter.py     what takes batches
background.py   calls that go on after their answer, put together with their end
environment.py  OpenTelemetry's environment variables
conventions.py  a call in the words of the conventions for generative AI
operations.py   what each wire format is in these words
content.py      prompts and answers in their form
metrics.py      histograms and counters
payloads.py     the messages that are sent
encoding.py     attributes as messages have them
worker.py       the thread that sends
lane.py         one signal on its way: what waits, and when it is tried again
partial.py      what a receiver says of a request
connection.py   a connection that is kept open
deadline.py     how a request ends in time, whatever the receiver does

It needs ``opentelemetry-proto``, the official package of the messages: ``miharu[otlp]``.
"""
