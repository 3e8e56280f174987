import os
import re
import sqlite3
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from miharu.batch import Batch
from miharu.call import Cost, Usage
from miharu.cli import main
from miharu.cli.doctor import database, environment, libraries
from miharu.cli.doctor.seen import findings as seen_findings
from miharu.cli.doctor.versions import sqlite_findings
from miharu.providers.base import Rule
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from miharu.testing.store_contract import NOON, make_call

from .conftest import Run


def words(text: str) -> str:
    return " ".join(text.split())


def test_it_says_what_is_seen_and_how_the_database_is(run_process: Run, recorded: Path) -> None:
    done = run_process("doctor", "--deep", "--database", str(recorded))
    assert done.returncode == 0, done.stdout + done.stderr
    said = words(done.stdout)
    assert "openai 3" in said
    assert "speaks httpx2; seen: yes" in said
    assert "ok httpx " in said
    assert f"looked for at {recorded}" in said
    assert "permissions 0600" in said
    assert "its structure is sound" in said
    assert "6 calls; the last one on " in said
    assert "1 of them have no known price" in said
    assert done.stdout.endswith("Nothing is wrong.\n")
    assert "\x1b" not in done.stdout


async def test_it_names_the_models_without_a_price_and_how_to_give_them_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
    await store.open()
    used = Usage(prompt_tokens=10, completion_tokens=5, usage_source="provider")
    listed = [("house-7b", None)] * 2 + [
        ("gpt-4o", None),
        ("priced", Cost(cost_nanousd=1, cost_source="own")),
    ]
    calls = [
        make_call(timestamp=NOON + at, model=model, cost=cost, usage=used)
        for at, (model, cost) in enumerate(listed)
    ]
    await store.add(Batch(calls=calls))
    await store.close()
    said = words(run("doctor", "--database", str(file)).stdout)
    assert "3 of them have no known price" in said
    assert "no price for these models (calls): house-7b (2). To give one: miharu.init(prices=" in said
    assert '{"house-7b": miharu.Price(input=…, output=…)})' in said


def test_no_database_yet_is_no_fault(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 0
    assert "There is no database at" in words(done.stdout)


def test_a_named_database_that_is_missing_is_one(run: Run) -> None:
    assert run("doctor", "--database", "gone.db").returncode == 1


def test_variables_are_shown_and_secrets_are_not(run: Run) -> None:
    done = run(
        "doctor",
        env={
            "MIHARU_TOKEN": "hush-hush-hush-hush",
            "MIHARU_DATABASE_URL": "postgresql://me:hush@db.example/calls",
            "MIHARU_SERVICE": "shop",
            "MIHARU_DISABLED": "1",
        },
    )
    said = words(done.stdout)
    assert "hush" not in done.stdout + done.stderr
    assert "MIHARU_TOKEN: set, not shown" in said
    assert "MIHARU_SERVICE: shop" in said
    assert "postgresql://db.example/calls" in said
    assert "record nothing" in said


def test_a_nonsense_variable_is_wrong(run: Run) -> None:
    for name in ("MIHARU_DISABLED", "MIHARU_AUTH", "MIHARU_CAPTURE_CONTENT"):
        done = run("doctor", env={name: "perhaps"})
        assert done.returncode == 1
        assert f"wrong {name}='perhaps'" in words(done.stdout)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_an_open_file_is_warned_of(run: Run, recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "open.db"
    copy.write_bytes(recorded.read_bytes())
    copy.chmod(0o644)
    done = run("doctor", "--database", str(copy))
    assert done.returncode == 0
    assert f"chmod 600 {copy}" in words(done.stdout)


def test_a_damaged_file_is_wrong(run: Run, recorded: Path, tmp_path: Path) -> None:
    with sqlite3.connect(recorded) as source, sqlite3.connect(tmp_path / "copy.db") as target:
        source.backup(target)
    source.close()
    target.close()
    whole = (tmp_path / "copy.db").read_bytes()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    done = run("doctor", "--deep", "--database", str(damaged))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "its structure is damaged" in words(done.stdout)


def test_what_is_no_database_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Words, and no database at all.")
    done = run("doctor", "--database", "words.txt")
    assert done.returncode == 1
    assert "is not a SQLite database" in words(done.stdout)


@pytest.mark.parametrize(
    ("version", "marks"),
    [
        ("3.36.0", ["wrong"]),
        ("3.40.1", ["ok", "note"]),
        ("3.44.5", ["ok", "note"]),
        ("3.44.6", ["ok"]),
        ("3.45.0", ["ok", "note"]),
        ("3.50.6", ["ok", "note"]),
        ("3.50.7", ["ok"]),
        ("3.51.2", ["ok", "note"]),
        ("3.51.3", ["ok"]),
        ("4.0.0", ["ok"]),
    ],
)
def test_each_sqlite_is_judged(version: str, marks: list[str]) -> None:
    assert [finding.mark for finding in sqlite_findings(version)] == marks


INSTALLED = {
    "openai": ("2.9.0", ["httpx<1,>=0.23", "anyio>=3.5", "aiohttp; extra == 'aiohttp'"]),
    "anthropic": ("2.0.0", ["httpx2>=2"]),
    "groq": ("1.0.0", ["httpx (>=0.23)"]),
    "litellm": ("1.109", ["httpx", "aiohttp"]),
    "langchain-openai": ("1.3", ["openai>=2"]),
    "boto3": ("1.50", ["botocore>=1.50"]),
    "voyageai": ("0.5", ["aiohttp", "requests"]),
    "ollama": ("0.6", None),
}


def test_each_library_is_judged_by_what_it_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> SimpleNamespace:
        if name not in INSTALLED:
            raise PackageNotFoundError(name)
        return SimpleNamespace(version=INSTALLED[name][0], requires=INSTALLED[name][1])

    monkeypatch.setattr(libraries, "distribution", distribution)
    rules = (
        *map(Rule, ("/chat/completions", "/responses", "/converse", "/embeddings")),
        Rule(host=".endpoints.huggingface.cloud"),
    )
    monkeypatch.setattr(libraries, "_rules", lambda: rules)
    monkeypatch.setattr(libraries, "version", lambda name: distribution(name).version)
    seen = {sight.name.partition(" ")[0]: sight for sight in libraries.look()}
    assert (seen["openai"].client, seen["openai"].why) == ("httpx", "yes")
    assert seen["groq"].seen
    assert (seen["anthropic"].client, seen["anthropic"].seen) == ("httpx2", False)
    assert seen["langchain-openai"].name == "langchain-openai (through openai)"
    assert seen["langchain-openai"].seen
    assert seen["litellm"].why.startswith("yes, for every provider")
    assert (seen["boto3"].name, seen["boto3"].client) == ("boto3 (through botocore)", "urllib3")
    assert (seen["boto3"].seen, seen["boto3"].why) == (True, "yes")
    assert seen["voyageai"].client == "urllib3"
    assert seen["voyageai"].why == "yes; its asynchronous calls through aiohttp"
    assert seen["ollama"].client == "unknown"
    assert "mistralai" not in seen


UNSEEN = {
    "xai-sdk": ("1.21", ["aiohttp", "grpcio", "requests"]),
    "google-cloud-aiplatform": ("2.7", ["google-api-core[grpc]"]),
    "google-generativeai": ("0.8", ["google-api-core"]),
    "claude-agent-sdk": ("0.2", ["mcp"]),
    "grpcio": ("1.80", []),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_it_does_not_say_that_nothing_is_wrong_where_calls_are_not_seen(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def distribution(asked: str) -> SimpleNamespace:
        if asked not in {name, "httpx"}:
            raise PackageNotFoundError(asked)
        return SimpleNamespace(
            version=UNSEEN.get(asked, ("0.28",))[0], requires=UNSEEN.get(asked, ("", []))[1]
        )

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(libraries, "distribution", distribution)
    monkeypatch.setattr(libraries, "version", lambda asked: distribution(asked).version)
    assert main(["doctor"]) == 0
    said = words(capsys.readouterr().out)
    assert "Nothing is wrong." not in said
    assert "Nothing is broken, but not all calls are seen. Not seen: " in said
    assert name in said.partition("Not seen: ")[2]
    assert re.search(rf"(warn|note) {name}\b", said)


def test_each_library_and_client_is_on_the_list_of_what_is_tried() -> None:
    unseen = {library.name for library in libraries.LIBRARIES if library.never or library.through == "grpcio"}
    assert {*libraries.CLIENTS} - {*libraries.SEEN, *libraries.ON} | unseen == {*UNSEEN}
    assert {*libraries.SEEN} <= {*libraries.CLIENTS}


def test_a_client_without_the_patch_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = ModuleType("httpx")
    changed.Client = type("Client", (), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "httpx", changed)
    assert libraries.patch_points("httpx") == [
        "httpx.Client._send_single_request",
        "httpx.AsyncClient._send_single_request",
    ]
    assert libraries.patch_points("httpx2") == []


def test_a_client_on_one_that_is_seen_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "versions", lambda: {"requests": "2.34", "urllib3": "2.8"})
    monkeypatch.setattr(libraries, "look", lambda: iter(()))
    said = [(finding.mark, finding.text) for finding in seen_findings()]
    assert said[:2] == [("ok", "requests 2.34: seen, as it runs on urllib3"), ("ok", "urllib3 2.8: seen")]


def test_a_pool_without_the_patch_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = ModuleType("urllib3")
    changed.HTTPConnectionPool = type("Pool", (), {"urlopen": None})  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "urllib3", changed)
    assert libraries.patch_points("urllib3") == ["urllib3.HTTPConnectionPool._make_request"]


def test_a_session_without_the_patch_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiohttp", ModuleType("aiohttp"))
    assert libraries.patch_points("aiohttp") == ["aiohttp.ClientSession._request"]


def test_a_client_of_websockets_without_the_patch_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert libraries.patch_points("websockets") == []
    monkeypatch.setitem(__import__("sys").modules, "websockets.client", ModuleType("websockets.client"))
    assert libraries.patch_points("websockets") == [
        "websockets.client.ClientProtocol.send_request",
        "websockets.client.ClientProtocol.recv_frame",
    ]


def test_sessions_over_websockets_are_said_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def why() -> str:
        return next(sight.why for sight in libraries.look() if sight.name == "openai")

    assert why() == "yes; its sessions through websockets"
    monkeypatch.setattr(libraries, "_rules", lambda: (Rule("/responses"),))
    assert why() == "yes"


@pytest.fixture
def file(recorded: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    copy = tmp_path / "copy.db"
    with sqlite3.connect(recorded) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    copy.chmod(0o600)
    Path(f"{copy}.layout").write_bytes(Path(f"{recorded}.layout").read_bytes())
    return copy


def repaired(run: Run, file: Path, code: int = 0) -> str:
    done = run("doctor", "--repair", "--database", str(file))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    return words(done.stdout)


def test_a_sound_file_is_not_changed_by_a_repair(run: Run, file: Path) -> None:
    before = file.read_bytes()
    assert "is sound: nothing was changed" in repaired(run, file)
    assert file.read_bytes() == before


def test_a_damaged_file_is_repaired(run_process: Run, file: Path) -> None:
    file.write_bytes(os.urandom(4096) + file.read_bytes()[4096:])
    said = words(run_process("doctor", "--database", str(file)).stdout)
    assert "has no header of SQLite. To repair it: miharu doctor --repair" in said
    assert words(run_process("stats", "--database", str(file)).stderr).endswith("miharu doctor --repair.")
    said = repaired(run_process, file)
    assert "ok 6 calls were brought back, none was lost; the damaged file stays as copy.db.salvaged-" in said
    assert "ok 6 calls; the last one" in said
    assert len(list(file.parent.glob("copy.db.salvaged-*Z"))) == 1
    said = words(run_process("doctor", "--database", str(file)).stdout)
    assert "was damaged and set aside; 6 calls were brought back, none was lost. It may be deleted" in said


def test_damage_that_only_a_whole_reading_finds_is_repaired(run: Run, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'llm_calls_timestamp'")
        page = root.fetchone()[0] - 1
    connection.close()
    data = file.read_bytes()
    file.write_bytes(data[: page * 4096] + bytes(4096) + data[(page + 1) * 4096 :])
    assert "its structure is damaged" in words(run("doctor", "--deep", "--database", str(file)).stdout)
    said = repaired(run, file)
    assert "warn the file is damaged" in said
    assert "6 calls were brought back, none was lost" in said
    assert "its structure is sound" in words(run("doctor", "--deep", "--database", str(file)).stdout)


def test_what_an_earlier_rescue_has_left_is_brought_back(run: Run, file: Path) -> None:
    file.rename(f"{file}.corrupt-20261125T181700Z")
    Path(f"{file}.layout").rename(f"{file}.corrupt-20261125T181700Z.layout")
    said = words(run("doctor", "--database", str(file)).stdout)
    assert "what can be read of it is still to be brought back" in said
    said = repaired(run, file)
    assert "copy.db does not exist: there is nothing to repair" in said
    assert "6 calls were brought back" in said
    assert "6 calls; the last one" in said


def test_what_is_somebody_elses_is_not_touched_by_a_repair(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("Words, and no database at all.")
    assert "is not a SQLite database, and is not touched" in repaired(run, file, code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]


def test_only_a_file_can_be_repaired(run: Run) -> None:
    done = run("doctor", "--repair", "--database", ":memory:")
    assert "only a file can be repaired" in words(done.stdout)


def test_what_waits_beside_the_file_is_told(run: Run, file: Path) -> None:
    for name in ("spool-1-ab", "spool-2-cd", "spool-3-ef.damaged", "replaced-20261125T181700Z-wal"):
        Path(f"{file}.{name}").write_text("x" * 1000)
    said = words(run("doctor", "--database", str(file)).stdout)
    assert "2.0 kB of calls wait for it in 2 files beside it (copy.db.spool-1-ab)" in said
    assert "copy.db.spool-3-ef.damaged: calls that waited, and of which a part could not be read" in said
    assert "copy.db.replaced-20261125T181700Z-wal: the last changes" in said
    assert re.search(r"ok [\d,.]+ [MG]B are free on its disk", said)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_waits_and_is_no_file_of_this_users_is_told(run: Run, file: Path) -> None:
    os.mkfifo(f"{file}.spool-1-pipe")
    Path(f"{file}.spool-2-gone").symlink_to("nowhere")
    said = words(run("doctor", "--database", str(file)).stdout)
    assert "warn copy.db.spool-1-pipe is a named pipe: it is not read" in said
    assert "warn copy.db.spool-2-gone is a symbolic link: it is not read" in said
    assert "wait for it" not in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("command", [("stats",), ("doctor", "--deep"), ("doctor", "--repair")])
def test_a_pipe_in_the_place_of_the_database_is_not_waited_for(
    run_process: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    os.mkfifo(tmp_path / "calls.db")
    done = run_process(*command, "--database", str(tmp_path / "calls.db"))
    assert done.returncode == (2 if command == ("stats",) else 1)
    assert "is a named pipe" in words(done.stdout + done.stderr)


def test_a_full_disk_is_warned_of(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    marks = {finding.text: finding.mark for finding in database.findings(str(file), deep=False)}
    assert marks["only 5.0 MB are free on its disk"] == "warn"


def test_each_variable_is_looked_at() -> None:
    package = Path(libraries.__file__).parents[2]
    source = "".join(path.read_text() for path in package.rglob("*.py"))
    found = set(re.findall(r'"(MIHARU_[A-Z_]+)"', source))
    assert found == {*environment.VARIABLES, "MIHARU_UNGUARDED", "MIHARU_RUN_FOLDER"}
