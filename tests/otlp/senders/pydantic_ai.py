"""An agent with a tool, whose run repeats the sums of its calls."""

from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.otlp.senders.work import PROVIDER, provider_of_spans

provider = provider_of_spans()
model = OpenAIChatModel(
    "gpt-4o", provider=OpenAIProvider(base_url=f"{PROVIDER}/v1", api_key="sk-of-the-tests")
)
agent = Agent(model, name="forecaster")
agent.instrument = InstrumentationSettings(tracer_provider=provider)
agent.run_sync("How is the weather in Vienna?")
provider.force_flush(60_000)
provider.shutdown()
