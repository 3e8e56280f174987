from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

from tests.otlp.senders.work import ask_anthropic, provider_of_spans

provider = provider_of_spans()
AnthropicInstrumentor().instrument(tracer_provider=provider)
ask_anthropic()
provider.force_flush(60_000)
provider.shutdown()
