from collections.abc import Iterator

import pytest
from openai import DefaultHttpxClient, OpenAI

from miharu.testing import FakeProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=0.001) as running:
        yield running


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    with (
        DefaultHttpxClient(trust_env=False) as http,
        OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0, http_client=http) as made,
    ):
        yield made
