"""Alerts as a program states them."""

import pytest

import miharu
from miharu._alert import Alert, alert_from, alerts_from, rule_of
from miharu.config import Config
from miharu.errors import ConfigError


def test_a_text_says_all_of_it() -> None:
    text = 'errors>5% route:/chat/* -model:"gpt 5" over:1h least:50 name:"Chat fails"'
    alert = alert_from(text, "https://example.com/x")
    assert (alert.name, alert.when, alert.over, alert.at_least, alert.webhook) == (
        "Chat fails",
        'errors>5% route:/chat/* -model:"gpt 5"',
        "1h",
        50,
        "https://example.com/x",
    )
    assert alert.over_ms == 3_600_000
    rule = rule_of(alert.when)
    assert (rule.measure, rule.sign, rule.limit, rule.is_share, len(rule.conditions)) == (
        "errors",
        ">",
        0.05,
        True,
        2,
    )
    assert alert_from("p95>8s").name == "p95>8s"


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("", "begins with what is measured"),
        ("route:/x errors>5%", "begins with what is measured"),
        ("latency>5s", "such as 'errors>5% route:/refund'"),
        ("errors>150%", "150% is not a share"),
        ("errors>many", "many is not a count"),
        ("p95>8", "Perhaps 8s"),
        ("cost>cheap", "cheap is not an amount"),
        ("score:helpful<bad", "bad is not a number"),
        ("score:helpful<0.5 route:/x", "leave out 'route:/x'"),
        ("errors>5% rute:/x", "in the filter 'rute:/x'"),
        ("errors>5% refund", "in the filter 'refund'"),
    ],
)
def test_what_is_not_understood_is_said(when: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Alert("one", when)
    assert said in str(raised.value)
    assert repr(when) in str(raised.value)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"name": " "}, "Alert(name=' '): give a text"),
        ({"over": "5s"}, "Alert(over='5s'): give a length of time from '1m' to '7d'"),
        ({"over": 15}, "Alert(over=15)"),
        ({"at_least": 0}, "Alert(at_least=0): give a number of calls"),
        ({"webhook": "slack"}, "Alert(webhook=…): give a URL"),
        ({"on_change": "mail"}, "Alert(on_change='mail'): give a function"),
    ],
)
def test_a_value_that_is_not_valid_is_named(facts: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Alert(**({"name": "one", "when": "errors>5%"} | facts))  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two are called 'errors>5%'"):
        alerts_from(["errors>5%", "errors>5% over:1h"])
    with pytest.raises(ConfigError, match=r"alerts=7: give miharu.Alert objects"):
        alerts_from([7])
    with pytest.raises(ConfigError, match="give a list"):
        Config.resolve(":memory:", alerts="errors>5%")


def test_the_environment_states_them() -> None:
    hook = "https://hooks.example.com/T/secret"
    environ = {"MIHARU_ALERTS": "errors>5% over:1h; cost>5; ", "MIHARU_ALERT_WEBHOOK": hook}
    config = Config.resolve(":memory:", environ=environ)
    assert [alert.name for alert in config.alerts] == ["errors>5%", "cost>5"]
    assert {alert.webhook for alert in config.alerts} == {hook}
    own = Alert("own", "calls<1", webhook="https://example.com")
    given = Config.resolve(":memory:", alerts=[own, miharu.Alert("other", "cost>1")], environ=environ)
    assert [alert.webhook for alert in given.alerts] == ["https://example.com", hook]
    assert hook not in repr(config)
    with pytest.raises(ConfigError, match="MIHARU_ALERTS: alerts=") as raised:
        Config.resolve(":memory:", environ={"MIHARU_ALERTS": "eror>5%"})
    assert raised.value.setting == "MIHARU_ALERTS"
    with pytest.raises(ConfigError, match="MIHARU_ALERT_WEBHOOK is not a URL"):
        Config.resolve(":memory:", environ={"MIHARU_ALERT_WEBHOOK": "secret"})


def test_another_definition_is_another_alert() -> None:
    one = Alert("one", "errors>5%")
    assert one.key == Alert("one", "errors>5%", webhook="https://example.com").key
    assert one.key != Alert("one", "errors>6%").key
