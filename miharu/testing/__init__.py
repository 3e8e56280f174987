"""Helpers for tests of programs that use miharu, and of plug-ins.

fake_provider.py  a provider on a port of this machine
cassette.py       a provider on a port that answers from a cassette
store_contract.py what every store has to do, as tests
open_store.py     both sides of a store at once
tokens.py         how the fake provider counts
_served.py        what both providers are: on a port for as long as a ``with`` lasts
_server.py        an ASGI app on a port, in a thread
__main__.py       the provider as a program, for any language
_makers/          whose APIs the provider speaks
_chat.py          chat completions
_responses.py     responses
_embeddings.py    embeddings
_generation.py    what the fake model says
_replies.py       how an answer is sent
_faults.py        errors on demand
"""

from miharu.testing.fake_provider import Asked, FakeProvider
from miharu.testing.tokens import count_tokens

__all__ = ("Asked", "FakeProvider", "count_tokens")
