"""A store that is another miharu: what it says of each answer, and what budgets know through it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

import miharu
from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Cost, new_id
from miharu.cli import main
from miharu.conditions.language import Condition
from miharu.config import Config, public_url
from miharu.errors import BudgetExceeded, ConfigError, StoreError
from miharu.monitor import Monitor
from miharu.redaction.urls import secrets_in
from miharu.server import create_app
from miharu.stores import store_for
from miharu.stores.base import Rated
from miharu.stores.remote import RemoteStore
from miharu.stores.remote.exchange import Answer
from miharu.stores.remote.questions import RemoteQuestions
from miharu.stores.remote.refusals import Refused, checked
from miharu.stores.remote.writer import RemoteWriter, _halves
from miharu.wire import batches
from tests.remote.test_door import ALL, NOW, TOKEN, call
from tests.remote.world import free_port
from tests.stores.postgres.server import Certificate


@pytest.fixture
def anyio_backend() -> str:
    """Questions run on asyncio, the loop of theirs."""
    return "asyncio"


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """A server that always answers the same; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"miharu+http://{TOKEN}@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def remote(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a miharu that takes in calls, in this process."""
    with taking(database, monkeypatch) as port:
        yield f"miharu+http://{TOKEN}@127.0.0.1:{port}"


@contextmanager
def taking(database: Path, monkeypatch: pytest.MonkeyPatch, **tls: Any) -> Iterator[int]:
    """Its port."""
    monkeypatch.setenv("MIHARU_TOKEN", TOKEN)
    monitor, port = Monitor(Config.resolve(database), watching=False), free_port()
    monitor.start()
    app = create_app(monitor, ingest=True)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", **tls)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield port
    server.should_exit = True
    thread.join()
    assert monitor.stop(30)


FORM = {"Miharu_Form": "1"}


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (401, b"", {}, "does not accept the token: put"),
        (403, b"", {}, "does not accept the token"),
        (404, b"", {}, "takes in no calls: start it with --ingest"),
        (405, b"", FORM, "takes in no calls"),
        (400, b'{"error": "bad"}', {}, "answers 400."),
        (415, b'{"error": "Version 9."}', FORM, "answers 415: Version 9."),
        (429, b'{"error": "Often."}', FORM, "answers 429: Often."),
        (503, b"<html>", {}, "answers 503."),
        (302, b"", {"Location": "https://there"}, "redirects to another address"),
        (200, b"<html>", {}, "is not a miharu that takes in calls"),
        (500, b"[]", FORM, "answers 500."),
    ],
)
def test_each_answer_is_said_in_words(status: int, body: bytes, headers: dict[str, str], words: str) -> None:
    with answering(status, body, **headers) as url:
        writer = RemoteWriter(url)
        with pytest.raises(StoreError, match=words) as caught:
            writer.open()
        writer.close()
    assert TOKEN not in str(caught.value)
    assert "http://127.0.0.1" in str(caught.value)


def test_a_batch_that_is_refused_is_not_tried_for_ever() -> None:
    with answering(400, b'{"error": "No."}', **FORM) as url, pytest.raises(Refused, match="No"):
        RemoteWriter(url).add(Batch(calls=[call()]))


def test_what_is_too_large_alone_goes_without_its_body_or_not_at_all() -> None:
    with answering(413) as url:
        with pytest.raises(ValueError, match="nothing as large as this"):
            RemoteWriter(url).add(Batch(calls=[call(body=Body(request=b"x", response=None))]))
        with pytest.raises(ValueError, match="nothing as large as this"):
            RemoteWriter(url).add(Batch(spans=[_span()]))


def test_a_server_that_is_away_is_said_in_words() -> None:
    with pytest.raises(StoreError, match=r"cannot be reached \(connection refused\)"):
        RemoteWriter(f"miharu+http://{TOKEN}@127.0.0.1:{free_port()}").open()
    with pytest.raises(StoreError, match="cannot be reached"):
        RemoteWriter(f"miharu+http://{TOKEN}@no-such-host.invalid").open()


def test_a_server_that_speaks_no_tls_is_said_in_words() -> None:
    with answering(200) as url, pytest.raises(StoreError, match=r"TLS|cannot be reached"):
        RemoteWriter(url.replace("http:", "https:")).open()


def test_a_certificate_is_checked(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Certificate(tmp_path)
    with taking(database, monkeypatch, ssl_certfile=made.file, ssl_keyfile=made.key) as port:
        url = f"miharu+https://{TOKEN}@127.0.0.1:{port}"
        with pytest.raises(
            StoreError, match=r"certificate of https://127.0.0.1:\d+ is not trusted .* SSL_CERT_FILE"
        ):
            RemoteWriter(url).open()
        monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
        writer = RemoteWriter(url)
        assert writer.add(Batch(calls=[call()])) == 1
        writer.close()


def _span() -> Span:
    return Span(id="a" * 16, trace_id="b" * 32, name="run", timestamp=NOW, duration_ms=2, status="success")


def test_halves_are_the_whole() -> None:
    score = Score(id="c", timestamp=1, name="helpful", value=0.5)
    batch = Batch(calls=[call(), call()], spans=[_span()] * 4, scores=[score])
    first, second = _halves(batch)
    assert (len(first.calls), len(first.spans), len(first.scores)) == (2, 1, 0)
    assert (len(second.calls), len(second.spans), len(second.scores)) == (0, 3, 1)
    assert all(map(bool, _halves(Batch(calls=[call()], spans=[_span()]))))


async def test_large_batches_go_in_pieces(remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miharu.stores.remote.writer.MOST_SENT", 10)
    monkeypatch.setattr(batches, "MOST_SENT", 10)
    writer, questions = RemoteWriter(remote), RemoteQuestions(remote)
    assert writer.add(Batch(calls=[call() for _ in range(35)], spans=[_span()])) == 35
    assert (await questions.totals(ALL)).calls == 35
    writer.close()
    await questions.close()


async def test_what_budgets_ask_is_answered_and_all_else_is_elsewhere(remote: str) -> None:
    writer, questions = RemoteWriter(remote), RemoteStore(remote).questions()
    await questions.open()
    before = await questions.revision()
    writer.add(Batch(calls=[call(user_id="ada"), call(user_id="bob"), call()]))
    assert await questions.revision() > before
    assert (await questions.totals(replace(ALL, user_id="ada"))).calls == 1
    not_ada = Condition(field="user_id", operator="not in", values=("ada",))
    assert (await questions.totals(replace(ALL, conditions=(not_ada,)))).calls == 2
    assert await questions.groups(replace(ALL, conditions=(not_ada,), user_id="ada"), "user_id") == []
    assert {group.key for group in await questions.groups(ALL, "user_id", 10)} == {"ada", "bob", None}
    assert [point.totals.calls for point in await questions.series(ALL, 1 << 50, "user_id", ["bob"])] == [1]
    deploy = Marker(id="m1", timestamp=NOW, name="deploy 1.4", tags={"by": "ci"})
    helpful = Score(id=new_id(NOW), timestamp=NOW, name="helpful", value=0.5)
    writer.add(Batch(markers=[deploy], scores=[helpful]))
    assert await questions.markers(0, NOW + 1, kinds=["mark"], name="deploy 1.4") == [deploy]
    assert await questions.markers(0, NOW + 1, kinds=["firing"]) == []
    assert await questions.rated(0, NOW + 1, name="helpful") == {"helpful": Rated(1, 0.5)}
    assert (await questions.latency(ALL)).p95_ms is not None
    assert await questions.size() is None
    for ask in (
        questions.has_sums(ALL),
        questions.markers(0, 1, id="x"),
        questions.durations(ALL, 1000),
        questions.ranks(ALL, "model"),
        questions.keys(ALL, "model"),
        questions.sessions(ALL),
        questions.calls(ALL),
        questions.call("x"),
        questions.spans("x"),
        questions.failed_spans(ALL),
        questions.extent(ALL),
        questions.scores(),
    ):
        with pytest.raises(
            StoreError, match=r"kept by the miharu at http://127.0.0.1:\d+, and are shown there"
        ):
            await ask
    writer.close()
    await questions.close()


async def test_a_question_that_is_not_understood_is_said() -> None:
    with answering(400, b'{"error": "What?"}', **FORM) as url, pytest.raises(StoreError, match="What"):
        await RemoteQuestions(url).revision()
    with answering(200, b'"seven"', **FORM) as url, pytest.raises(StoreError, match="form that is not"):
        await RemoteQuestions(url).revision()


def test_the_rest_is_done_where_the_calls_are(remote: str) -> None:
    writer = RemoteWriter(remote)
    assert (writer.prune(1), writer.roll_up()) == (0, False)
    with pytest.raises(StoreError, match="run miharu reprice there"):
        writer.reprice({"x": Cost(cost_nanousd=1, cost_source="own")})
    with pytest.raises(StoreError, match="reading only"):
        RemoteStore(remote, read_only=True).writer()
    assert store_for(remote).name == "miharu"


def test_a_budget_counts_what_other_programs_have_spent(remote: str) -> None:
    spent = Cost(cost_nanousd=2_000_000_000, cost_source="own")
    now = time.time_ns() // 1_000_000
    miharu.init(
        remote, budgets=[miharu.Budget(1.5, "day", refuse=True), miharu.Budget(10, "day", each="user")]
    )
    assert miharu.flush(30)
    miharu.check_budget()
    writer = RemoteWriter(remote)
    writer.add(Batch(calls=[call(timestamp=now, cost=spent, user_id="ada")]))
    writer.close()
    assert miharu.flush(30)
    whole, each = miharu.stats()["budgets"]
    assert (whole.spent_nanousd, whole.exceeded) == (2_000_000_000, True)
    assert (each.key, each.spent_nanousd) == ("ada", 2_000_000_000)
    with pytest.raises(BudgetExceeded):
        miharu.check_budget()


async def test_a_page_of_the_program_says_where_its_calls_are(remote: str) -> None:
    miharu.init(remote)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(miharu.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as asking:
        page = await asking.get("/calls")
        health = await asking.get("/healthz")
    assert page.status_code == 503
    assert "are shown there" in page.text
    assert health.status_code == 200
    assert TOKEN not in page.text


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ("https://t0k@host", "miharu+https://t0k@host"),
        ("https://t0k@host:90/miharu/", "miharu+https://t0k@host:90/miharu"),
        ("miharu+https://t0k@host", "miharu+https://t0k@host"),
        ("miharu+http://t0k@db", "miharu+http://t0k@db"),
        ("http://t0k@localhost:3001", "miharu+http://t0k@localhost:3001"),
        ("http://t0k@[::1]:3001", "miharu+http://t0k@[::1]:3001"),
        ("HTTP://t0k@127.0.0.2", "miharu+http://t0k@127.0.0.2"),
    ],
)
def test_an_address_is_a_database(given: str, resolved: str) -> None:
    assert Config.resolve(given).database == resolved
    assert "t0k" not in public_url(resolved)
    assert "t0k" in set(secrets_in(resolved))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("http://t0k@host", "without TLS: use 'https://', or 'miharu\\+http://' if host is in"),
        ("https://host", "write the address of another miharu as 'https://token@host'"),
        ("https://t0k@", "write the address"),
        ("https://t0k@host:t0k", "write the address"),
        ("https://t0k@host?x=t0k", "write the address"),
        ("miharu://t0k@host", "reached by miharu\\+https:// or miharu\\+http://"),
        ("miharu+ftp://t0k@host", "reached by"),
    ],
)
def test_an_address_that_is_wrong_is_refused_without_its_token(given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        Config.resolve(given)
    assert "t0k" not in str(caught.value)


def test_the_doctor_says_whether_calls_are_taken_in(remote: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--database", remote])
    assert "the miharu there takes in calls with this token" in capsys.readouterr().out
    main(["doctor", "--database", remote.replace(TOKEN, "not-the-token-of-it")])
    said = capsys.readouterr().out
    assert "does not accept the token" in " ".join(said.split())
    assert "not-the-token" not in said


def test_commands_say_where_the_calls_are(remote: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["stats"], ["tail"], ["prune", "--before", "1d", "--yes"]):
        assert main([*command, "--database", remote]) == 2
        assert "keeps these calls: look at them there" in " ".join(capsys.readouterr().err.split())


def test_a_proxy_that_says_yes_is_not_believed() -> None:
    with pytest.raises(StoreError, match="is not a miharu"):
        checked(Answer(200, b"", is_miharu=False), "https://host")
