from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.config import MEMORY, Config, auth_mode, database_file, public_url, resolve_database
from miharu.errors import ConfigError


def resolve(given: object, **environ: str) -> str:
    return resolve_database(given, environ)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (":memory:", MEMORY),
        ("sqlite://", MEMORY),
        ("sqlite:///:memory:", MEMORY),
        ("/data/calls.db", "sqlite+aiosqlite:////data/calls.db"),
        (Path("/data/calls.db"), "sqlite+aiosqlite:////data/calls.db"),
        ("sqlite:////data/calls.db", "sqlite+aiosqlite:////data/calls.db"),
        ("sqlite+aiosqlite:////data/calls.db", "sqlite+aiosqlite:////data/calls.db"),
        ("sqlite:///calls.db", f"sqlite+aiosqlite:///{Path.cwd()}/calls.db"),
        ("calls.db", f"sqlite+aiosqlite:///{Path.cwd()}/calls.db"),
        ("postgres://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("postgresql://db/x", "postgresql+asyncpg://db/x"),
        ("postgresql+psycopg://db/x", "postgresql+asyncpg://db/x"),
        ("clickhouse://u:p@db/x?cluster=c", "clickhouse://u:p@db/x?cluster=c"),
        ("clickhouse://db/x", "clickhouse://db/x"),
    ],
)
def test_a_database_is_normalised(given: object, expected: str) -> None:
    assert resolve(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        42,
        "",
        "  ",
        b"bytes.db",
        "sqlite://calls.db",
        "sqlite:///calls.db?mode=ro",
        "nul\0",
        "://x",
        "!!://x",
        "http://",
        "~nosuchuser/x.db",
    ],
)
def test_a_nonsense_database_is_named_with_a_remedy(given: object) -> None:
    with pytest.raises(ConfigError, match=r"database=.+: .+\.$") as caught:
        resolve(given)
    assert caught.value.setting == "database"


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name a file in it"):
        resolve(tmp_path)


def test_the_argument_wins_over_the_environment() -> None:
    assert resolve("/a.db", MIHARU_DATABASE_URL="/b.db").endswith("/a.db")
    assert resolve(None, MIHARU_DATABASE_URL="/b.db").endswith("/b.db")
    with pytest.raises(ConfigError) as caught:
        resolve(None, MIHARU_DATABASE_URL="sqlite://b.db")
    assert caught.value.setting == "MIHARU_DATABASE_URL"


def test_calls_stay_in_memory_under_pytest_with_nothing_configured() -> None:
    assert resolve(None, PYTEST_VERSION="9") == MEMORY


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_file_name_survives_the_url(name: str) -> None:
    path = f"/data/{name.strip('.') or 'x'}"
    if "://" in path:
        return
    assert database_file(resolve(path)) == Path(path)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+asyncpg://me:secret@db:5432/x", "postgresql+asyncpg://db:5432/x"),
        ("postgresql+asyncpg://me@db/x?password=secret", "postgresql+asyncpg://db/x"),
        ("clickhouses://me:secret@db:8443/x?cluster=c", "clickhouses://db:8443/x"),
        ("postgres://u:p#ss@db/x", "postgres://db/x"),
        ("postgres://u:pa/ss@db/x", "postgres://db/x"),
        ("postgres://u:pa?ss@db/x", "postgres://…"),
        ("postgres://db/x?password=se@cret", "postgres://…"),
        ("my_db://u:secret@db", "my_db://db"),
        ("postgresql+asyncpg://me:se@cret@db/x", "postgresql+asyncpg://db/x"),
        ("sqlite+aiosqlite:////data/a%20b.db", "/data/a b.db"),
        (MEMORY, MEMORY),
    ],
)
def test_neither_user_nor_password_is_shown(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"service": 3}, "service=3"),
        ({"capture_content": "yes"}, "capture_content='yes'"),
        ({"prices": object()}, "no method cost"),
        ({"exporters": [object()]}, "no method export"),
        ({"providers": [object()]}, "no method read"),
        ({"providers": [type("P", (), {"read": print})()]}, "has no rules"),
        ({"providers": 5}, "providers=5"),
        ({"estimate_usage": 1}, "estimate_usage=1"),
        ({"retention": "soon"}, "retention='soon': give days or a length such as '30d'"),
        ({"retention": True}, "retention=True"),
        ({"content_retention": 0}, "content_retention=0"),
    ],
)
def test_a_nonsense_argument_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.resolve(":memory:", **arguments, environ={})  # type: ignore[arg-type]


def test_settings_come_from_the_environment() -> None:
    environ = {"MIHARU_SERVICE": "shop", "MIHARU_CAPTURE_CONTENT": "1", "MIHARU_DISABLED": "true"}
    config = Config.resolve(":memory:", environ=environ)
    assert (config.service, config.capture_content, config.disabled) == ("shop", True, True)
    config = Config.resolve(":memory:", service="api", capture_content=False, environ=environ)
    assert (config.service, config.capture_content) == ("api", False)
    with pytest.raises(ConfigError, match="MIHARU_DISABLED='perhaps': set it to 1 or 0"):
        Config.resolve(":memory:", environ={"MIHARU_DISABLED": "perhaps"})


def test_how_long_calls_are_kept() -> None:
    def kept(environ: dict[str, str], **given: Any) -> tuple[int | None, int | None]:
        config = Config.resolve(":memory:", **given, environ=environ)
        return config.retention_ms, config.content_retention_ms

    day = 86_400_000
    environ = {"MIHARU_RETENTION": "90d", "MIHARU_CONTENT_RETENTION": "forever"}
    assert kept({}) == (None, 30 * day)
    assert kept(environ) == (90 * day, None)
    assert kept(environ, retention=7, content_retention=timedelta(hours=12)) == (7 * day, day // 2)
    assert kept(environ, retention=None, content_retention="1w") == (None, 7 * day)
    assert kept({}, retention="forever", content_retention=None) == (None, None)
    with pytest.raises(ConfigError) as caught:
        kept({"MIHARU_RETENTION": "90"})
    assert caught.value.setting == "MIHARU_RETENTION"


def test_auth_modes() -> None:
    assert auth_mode("auto", {}) == "auto"
    assert auth_mode("auto", {"MIHARU_TOKEN": "t"}) == "token"
    assert auth_mode("auto", {"MIHARU_AUTH": "off", "MIHARU_TOKEN": "t"}) == "off"
    assert auth_mode("off", {"MIHARU_AUTH": "token"}) == "off"
    with pytest.raises(ConfigError, match="auth='maybe': choose one of auto, token, off"):
        auth_mode("maybe", {})
    with pytest.raises(ConfigError, match="MIHARU_AUTH='maybe'"):
        auth_mode("auto", {"MIHARU_AUTH": "maybe"})
