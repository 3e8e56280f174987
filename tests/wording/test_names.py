import pytest

from miharu.providers.hosts import provider_of
from miharu.wording.names import UNKNOWN, error_name, model_name, provider_name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.openai.com", "OpenAI"),
        ("api.mistral.ai", "Mistral"),
        ("router.huggingface.co", "Hugging Face"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "AWS Bedrock"),
        ("localhost:8000", "unknown provider"),
    ],
)
def test_a_provider_is_written_as_it_writes_itself(host: str, name: str) -> None:
    assert provider_name(provider_of(host)) == name


def test_a_provider_nobody_has_heard_of_keeps_its_own_name() -> None:
    assert provider_name("acme_ai") == "acme_ai"


@pytest.mark.parametrize(
    ("kind", "name"), [("400", "error 400"), ("overloaded_error", "overloaded_error"), (None, "error")]
)
def test_a_number_alone_is_called_an_error(kind: str | None, name: str) -> None:
    assert error_name(kind) == name


def test_a_model_that_nothing_names_is_called_unknown() -> None:
    assert (model_name("gpt-4o"), model_name(None), model_name("")) == (
        "gpt-4o",
        "unknown model",
        "unknown model",
    )
    assert provider_name(None) == UNKNOWN["provider"] == "unknown provider"
