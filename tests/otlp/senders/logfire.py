import logfire

from tests.otlp.senders.work import ask_openai

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
ask_openai()
logfire.shutdown()
