from opentelemetry.instrumentation.openai import OpenAIInstrumentor

from tests.otlp.senders.work import ask_openai, provider_of_spans

provider = provider_of_spans()
OpenAIInstrumentor().instrument(tracer_provider=provider)
with provider.get_tracer("app").start_as_current_span("a piece of work"):
    ask_openai()
provider.force_flush(60_000)
provider.shutdown()
