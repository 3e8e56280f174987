import ssl
from typing import Any

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args

from miharu.config import resolve_database
from miharu.stores.postgres.address import connect_arguments


def understood(url: str) -> Any:
    """What the driver makes of it: addresses, and all else."""
    arguments = connect_arguments(resolve_database(url))
    wanted = ("dsn", "user", "password")
    others = dict.fromkeys(
        (
            *("host", "port", "passfile", "database", "ssl", "service", "servicefile", "direct_tls"),
            *("server_settings", "target_session_attrs", "krbsrvname", "gsslib"),
        )
    )
    given = {name: arguments.get(name) for name in wanted}
    return _parse_connect_dsn_and_args(**others, **given)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_every_scheme_means_the_same(scheme: str) -> None:
    addresses, parameters = understood(f"{scheme}://me:secret@db:5433/calls")
    assert addresses == [("db", 5433)]
    assert (parameters.user, parameters.password, parameters.database) == ("me", "secret", "calls")


@pytest.mark.parametrize(
    ("credentials", "user", "password"),
    [
        ("me:p%40ss%2Fw%3Fo%25rd", "me", "p@ss/w?o%rd"),
        ("me:p@ss", "me", "p@ss"),
        ("m%40e:p:ss", "m@e", "p:ss"),
        ("me:", "me", ""),
        ("me:%C3%BC", "me", "ü"),
    ],
)
def test_user_and_password_may_hold_anything(credentials: str, user: str, password: str) -> None:
    addresses, parameters = understood(f"postgres://{credentials}@db/calls")
    assert addresses == [("db", 5432)]
    assert (parameters.user, parameters.password) == (user, password)


def test_user_and_password_may_stand_behind_the_question_mark() -> None:
    arguments = connect_arguments("postgresql+asyncpg://db/calls?user=me&password=sec%20ret")
    assert (arguments["user"], arguments["password"]) == ("me", "sec ret")
    assert "sec" not in arguments["dsn"]


@pytest.mark.parametrize(
    ("query", "verify", "hostname"),
    [
        ("sslmode=require", ssl.CERT_NONE, False),
        ("ssl=require", ssl.CERT_NONE, False),
        ("ssl=true", ssl.CERT_NONE, False),
        ("ssl=True&sslmode=require", ssl.CERT_NONE, False),
        ("sslmode=verify-ca&sslrootcert={file}", ssl.CERT_REQUIRED, False),
        ("sslmode=verify-full&sslrootcert={file}", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls_is_asked_for_as_with_libpq(
    query: str, verify: ssl.VerifyMode, hostname: bool, certificate: Any
) -> None:
    _, parameters = understood(f"postgres://db/calls?{query.format(file=certificate.file)}")
    assert parameters.ssl.verify_mode == verify
    assert parameters.ssl.check_hostname is hostname


@pytest.mark.parametrize("query", ["sslmode=disable", "ssl=false", "ssl=0"])
def test_tls_can_be_switched_off(query: str) -> None:
    assert not understood(f"postgres://db/calls?{query}")[1].ssl


def test_several_hosts_and_sockets() -> None:
    several = [("a", 5432), ("b", 5433)]
    assert understood("postgres://a:5432,b:5433/calls")[0] == several
    assert understood("postgres:///calls?host=a:5432&host=b:5433")[0] == several
    assert understood("postgres:///calls?host=/run/pg")[0] == ["/run/pg/.s.PGSQL.5432"]
    assert understood("postgres://[::1]:5433/calls")[0] == [("::1", 5433)]
    attributes = understood("postgres://a,b/calls?target_session_attrs=read-write")[1].target_session_attrs
    assert attributes.value == "read-write"


def test_what_the_server_does_not_know_is_not_sent_to_it() -> None:
    url = (
        "postgres://db/calls?channel_binding=require&connect_timeout=3&pgbouncer=true&keepalives=1"
        "&statement_cache_size=0&prepared_statement_cache_size=0&options=-csearch_path%3Dwatched"
    )
    assert understood(url)[1].server_settings == {
        "application_name": "miharu",
        "options": "-csearch_path=watched",
    }
    assert connect_arguments(url)["timeout"] == 3.0
    named = understood("postgres://db/calls?application_name=my%20app")[1]
    assert named.server_settings == {"application_name": "my app"}
