"""For the tests of programs that use miharu, and of its plug-ins."""

from miharu.testing.fake_provider import Asked, FakeProvider
from miharu.testing.tokens import count_tokens

__all__ = ("Asked", "FakeProvider", "count_tokens")
