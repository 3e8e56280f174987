"""What the interceptor promises: the caller sees no difference, and every exchange is seen once.

server.py       a local model that says its script one step at a time
world.py        one library in one colour: the words in which scenarios are written
reading.py      scenarios: what programs do with a client, each written once; the answer is read to its end,
leaving.py      the consumer leaves before it,
failing.py      the other side fails or takes too long,
transports.py   other transports,
sdk.py          the real OpenAI SDK
sockets/        WebSocket sessions
test_same.py    runs every scenario with and without us, and compares
"""
