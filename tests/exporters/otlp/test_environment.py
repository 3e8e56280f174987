import pytest

from miharu.errors import ConfigError
from miharu.exporters.otlp.environment import Endpoint, environment


def endpoint(signal: str = "traces", **environ: str) -> Endpoint:
    return next(one for one in environment(environ).endpoints if one.signal == signal)


def test_the_defaults_are_opentelemetrys() -> None:
    here = environment({})
    assert [one.url for one in here.endpoints] == [
        f"http://localhost:4318/v1/{signal}" for signal in ("traces", "metrics", "logs")
    ]
    assert {(one.timeout, one.gzip, one.headers) for one in here.endpoints} == {(10.0, False, ())}
    assert (here.delay, here.most_waiting, here.most_at_once, here.metrics_interval) == (5.0, 2048, 512, 60.0)
    assert not here.delta
    assert here.service is None


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_general_address_gets_the_signals_path_and_its_own_gets_none(slash: str) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://collect.example/base{slash}",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://metrics.example/push",
    }
    assert endpoint("traces", **environ).url == "https://collect.example/base/v1/traces"
    assert endpoint("metrics", **environ).url == "http://metrics.example/push"


def test_a_signals_own_variable_wins() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "a=1, b = two%20words",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "c=3",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none",
    }
    assert endpoint("traces", **environ).headers == (("a", "1"), ("b", "two words"))
    assert endpoint("logs", **environ).headers == (("c", "3"),)
    assert endpoint("traces", **environ).gzip
    assert not endpoint("logs", **environ).gzip


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10.0), ("0.5", 0.5), ("10000", 10.0), ("999", 60.0), ("500000", 60.0)]
)
def test_a_timeout_is_in_seconds_and_a_large_one_in_milliseconds(text: str, seconds: float) -> None:
    assert endpoint(OTEL_EXPORTER_OTLP_TIMEOUT=text).timeout == seconds


def test_the_service_is_named_by_the_more_special_variable() -> None:
    attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=general,region=eu%2Cwest"}
    assert environment(attributes).service == "general"
    assert environment(attributes | {"OTEL_SERVICE_NAME": "special"}).service == "special"
    assert environment(attributes).resource == {"region": "eu,west"}


def test_a_signal_is_switched_off() -> None:
    here = environment({"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "otlp"})
    assert [one.signal for one in here.endpoints] == ["traces", "logs"]
    assert environment({"OTEL_SDK_DISABLED": "true"}).endpoints == ()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:port"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/not/there.pem"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1.5"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no sign"),
    ],
)
def test_what_is_not_valid_is_named_with_a_remedy(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{variable}=") as refused:
        environment({variable: value})
    assert refused.value.setting == variable


@pytest.mark.parametrize("header", ["authorization", "a b=secret", "x=secret%0d%0aInjected: 1", "x:=secret"])
def test_a_header_that_is_not_valid_is_never_shown(header: str) -> None:
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_HEADERS") as refused:
        environment({"OTEL_EXPORTER_OTLP_HEADERS": header})
    assert "secret" not in str(refused.value)


def test_an_address_is_shown_without_its_login() -> None:
    found = endpoint(OTEL_EXPORTER_OTLP_ENDPOINT="https://user:pass@collect.example:4318")
    assert found.public == "https://collect.example:4318/v1/traces"
    assert "pass" not in repr(found.headers)
