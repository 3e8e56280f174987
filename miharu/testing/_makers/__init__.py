"""Whose APIs the fake provider speaks. The first that takes a request answers it.

base.py        what each of them is
openai.py      OpenAI and Azure OpenAI, and the errors for all that nobody knows
anthropic.py   Anthropic Messages, at Vertex AI too
gemini.py      generateContent and embedContent, at Vertex AI too
bedrock.py     Converse, ConverseStream and InvokeModel
eventstream.py Amazon's binary event stream
realtime.py    OpenAI's Realtime API, over a WebSocket
batches.py     batches of the first three
"""
