import pytest

from miharu.config import resolve_database
from miharu.stores.clickhouse.client.address import OPTIONS, understood


def test_a_url_says_where_and_as_whom() -> None:
    address = understood(resolve_database("clickhouse://me:p%40ss%2Fw%3Frd@db:9000/calls"))
    arguments = address.arguments
    assert (arguments["host"], arguments["port"], arguments["interface"]) == ("db", 9000, "http")
    assert (arguments["username"], arguments["password"]) == ("me", "p@ss/w?rd")
    assert (address.database, address.cluster) == ("calls", None)


@pytest.mark.parametrize(
    ("url", "interface", "port"),
    [
        ("clickhouse://db", "http", 8123),
        ("clickhouses://db", "https", 8443),
        ("clickhouses://[::1]:1", "https", 1),
    ],
)
def test_what_it_leaves_out_is_as_usual(url: str, interface: str, port: int) -> None:
    address = understood(resolve_database(url))
    arguments = address.arguments
    assert (arguments["interface"], arguments["port"]) == (interface, port)
    assert (arguments["username"], arguments["password"], address.database) == ("default", "", "default")


def test_options_go_to_the_driver() -> None:
    address = understood("clickhouses://db/x?cluster=main&connect_timeout=3&ca_cert=%2Fca.pem&verify=false")
    assert address.cluster == "main"
    arguments = address.arguments
    assert (arguments["connect_timeout"], arguments["ca_cert"], arguments["verify"]) == (3, "/ca.pem", False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("clickhouse:///calls", "has no host"),
        ("clickhouse://db:port/calls", "not a valid port"),
        ("clickhouse://db:99999/calls", "not a valid port"),
        ("clickhouse://db/x?connect_timeout=soon", "not a number of seconds"),
        ("clickhouse://db/x?sslmode=require", "has the option 'sslmode'; choose from cluster"),
        ("clickhouse://db/x?cluster=a'b", "has a cluster"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        understood(url)
    assert "sslmode" not in words or all(option in str(caught.value) for option in OPTIONS)
