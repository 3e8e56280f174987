"""Two instrumentors in one process: each call has two spans, one within the other."""

from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry

from tests.otlp.senders.work import ask_openai, provider_of_spans

provider = provider_of_spans()
OpenLLMetry().instrument(tracer_provider=provider)
OpenInference().instrument(tracer_provider=provider)
ask_openai()
provider.force_flush(60_000)
provider.shutdown()
