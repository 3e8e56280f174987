"""miharu and an instrumentor in one process: each call is seen by both."""

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

import miharu
from tests.otlp.senders.work import ask_openai, provider_of_spans

miharu.init()
provider = provider_of_spans()
OpenAIInstrumentor().instrument(tracer_provider=provider)
ask_openai()
assert miharu.flush(30)
provider.force_flush(60_000)
provider.shutdown()
miharu.shutdown(30)
