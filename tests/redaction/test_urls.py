from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.config import public_url, resolve_database
from miharu.errors import ConfigError
from miharu.redaction.urls import secrets_in

MISTYPED = [
    "{}@h/db",
    "postgresql:/{}@h/db",
    "postgresql//{}@h/db",
    "postgresql:{}@h/db",
    "postgresql:///{}@h/db",
    "postgresql://{}",
    "postgresql://{}/h/db",
    "postgresql://{}@",
    "postgresql://{}%40h/db",
    "postgres ://{}@h/db",
    "postgresql: //{}@h/db",
    "postgresql;//{}@h/db",
    "postgresql:\\\\{}@h/db",
    "postgresql+asyncpg:/{}@h/db",
    "postgresql%3A//{}@h/db",
    "miharu+https%3A//{}@h",
    "clickhouse%3a%2f%2f{}%40h/db",
    "://{}@h/db",
    "//{}@h/db",
    "/{}@h/db",
    "sqlite://{}@h",
    "sqlite:/{}@h",
    "sqlite:{}@h",
    "sqlite:///{}@h/db",
    "sqlite:////{}@h/db",
    "sqlite+aiosqlite://{}@h",
    "sqlite+aiosqlite:///{}@h/db",
    "clickhouse:/{}@h/db",
    "clickhouse//{}@h/db",
    "https:/{}@h",
    "https//{}@h",
    "jdbc:postgresql://{}@h/db",
    "postgresql://h/db?password={}",
    "postgresql://h/db?user=u&password={}@",
    "host=h user=u password={}",
    "nonsense://{}@h/db",
    "postgresql://{}@h/db\0",
    " postgresql://{}@h/db",
    '"postgresql://{}@h/db"',
    " postgresql://{}",
    "'postgresql://{}/db'",
    "DATABASE_URL=postgresql://{}",
    "postgresql;//{}",
    "postgresql=//{}",
    "postgresql:///Zx9user%3AZx9{}%40h/db",
    "h/db?sslpassword={}",
    "h/db?user=u&token={}",
    "h/db?options=-c%20password%3D{}",
    "//h/db?password={}",
    "~{}@h/db",
    "sqlite://{}",
]
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", min_size=12, max_size=20)


def _said(text: object, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Everything that is said of it."""
    monkeypatch.chdir(folder)
    try:
        url = resolve_database(text, {})
    except ConfigError as error:
        return str(error)
    return public_url(url) + repr(list(folder.iterdir()))


@pytest.mark.parametrize("form", MISTYPED)
def test_a_mistyped_address_shows_neither_user_nor_password(
    form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for credentials in (
        "Zx9user:Zx9Qw7",
        "Zx9user:Zx9@Qw7",
        "Zx9user:Zx9/Qw7",
        "Zx9user:Zx9?Qw7",
        "Zx9user:Zx9#7",
    ):
        if credentials.count("@") > form.count("@") + form.count("%40") + form.count(
            "="
        ):  # then it is an address
            continue
        text = form.replace("{}", credentials)
        said = _said(text, monkeypatch, tmp_path) + public_url(text)
        assert "Zx9" not in said
        assert "Qw7" not in said


@given(
    st.sampled_from(["postgresql", "postgres", "sqlite", "clickhouse", "https", "postgresql+asyncpg", ""]),
    st.sampled_from(["://", ":/", "//", ":", "/", ":///", "::/", ";//", ":\\\\", "", " ://"]),
    LETTERS,
    LETTERS,
    st.sampled_from([":", "/", ";", ""]),
    st.sampled_from(["@", "%40", "@@", " @"]),
    st.sampled_from(["h", "h/db", "h:5432/db", "[::1]/db", "", "h,i/db"]),
)
def test_no_slip_of_the_pen_shows_a_password(
    scheme: str, colon: str, user: str, password: str, between: str, at: str, host: str
) -> None:
    text = f"{scheme}{colon}{user}{between}{password}{at}{host}"
    shown = public_url(text)
    try:
        shown += public_url(resolve_database(text, {}))
    except ConfigError as error:
        shown += str(error)
    assert password not in shown or between in {"/", ""}  # by nothing to be told as one


@pytest.mark.parametrize(
    "path",
    [
        "calls.db",
        "./a:b@c.db",
        "data/calls.db",
        "/data/me@host/calls.db",
        "C.db",
        "//data/calls.db",
        "sqlite:////data/me@h/x:y/calls.db",
    ],
)
def test_a_path_is_a_path(path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_database(path, {}).startswith("sqlite")


def test_a_path_object_may_have_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Zx9" not in public_url(resolve_database(Path("me:Zx9@h.db"), {}))


def test_the_passwords_of_an_address_are_known() -> None:
    assert set(secrets_in("postgresql://u:p%40ss@h/db?sslpassword=q")) == {"p%40ss", "p@ss", "q"}
