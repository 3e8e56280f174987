import pytest

from miharu.providers.hosts import provider_of


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com:443", "openai"),
        ("res.openai.azure.com", "azure.ai.openai"),
        ("res.cognitiveservices.azure.com", "azure.ai.openai"),
        ("openrouter.ai", "openrouter"),
        ("api.mistral.ai", "mistral_ai"),
        ("us-central1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("codestral.mistral.ai", "mistral_ai"),
        ("adb-1.2.azuredatabricks.net", "databricks"),
        ("dbc-1.cloud.databricks.com", "databricks"),
        ("org-acc.snowflakecomputing.com", "snowflake"),
        ("us.inference.heroku.com", "heroku"),
        ("api.inference.crusoecloud.com", "crusoe"),
        ("open.bigmodel.cn", "zhipuai"),
        ("localhost:11434", None),
        ("api.openai.com.evil.example", None),
        ("notopenrouter.ai", None),
    ],
)
def test_a_host_has_its_provider(host: str, provider: str | None) -> None:
    assert provider_of(host) == provider
