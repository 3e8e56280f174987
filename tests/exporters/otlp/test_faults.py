"""A receiver that is away, slow, overloaded or picky, and a program that ends or forks meanwhile."""

import os
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import miharu
from miharu.exporters.otlp import lane
from miharu.exporters.otlp.connection import Answer as Heard
from miharu.exporters.otlp.connection import retry_after
from miharu.exporters.otlp.environment import Endpoint
from miharu.exporters.otlp.lane import Lane
from tests.calls import ask, rows
from tests.doors.serving import free_port
from tests.exporters.otlp.receiver import Answer, Receiver, receiving
from tests.programs import PRELUDE, run


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waits for company nor long after a failure."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setattr(lane, "BACK_OFF_S", (0.05, 0.2))


def warnings(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [message for message in caplog.messages if words in message]


@pytest.mark.usefixtures("quick")
def test_what_is_sent_while_the_receiver_is_away_arrives_when_it_is_back(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    miharu.init(database, exporters=["otlp"])
    for _ in range(3):
        ask()
        assert miharu.flush(20)
    assert warnings(caplog, "traces cannot be sent to http://127.0.0.1") != []
    with receiving(port) as receiver:
        receiver.wait(1)
        assert miharu.flush(20)
        assert len(receiver.spans) == 3
        assert len(warnings(caplog, "traces cannot be sent")) == 1
        assert len(warnings(caplog, "sending traces to")) == 1
        assert miharu.stats()["not_exported"] == 0
        assert miharu.shutdown(20)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_receiver_gets_the_same_once_more(
    receiver: Receiver, database: Path, status: int
) -> None:
    receiver.answers = [Answer(status), Answer(status)]
    miharu.init(database, exporters=["otlp"])
    ask()
    first, second, third = receiver.wait(3)
    assert first.message == second.message == third.message
    assert miharu.flush(20)
    assert miharu.stats()["not_exported"] == 0


@pytest.mark.usefixtures("quick")
def test_a_receiver_that_says_how_long_to_wait_is_left_alone_so_long(
    receiver: Receiver, database: Path
) -> None:
    receiver.answers = [Answer(429, headers={"retry-after": "600"})]
    miharu.init(database, exporters=["otlp"])
    ask()
    receiver.wait(1)
    ask()
    assert miharu.flush(20)  # not even now
    assert len(receiver.at("/v1/traces")) == 1
    assert miharu.shutdown(20)
    assert len(receiver.at("/v1/traces")) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_what_is_refused_is_lost_counted_and_said(
    receiver: Receiver, database: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    refusal = b"\x08\x03\x12\x0bbad \x1b[31mspan"  # google.rpc.Status
    receiver.answers = [Answer(status, refusal)]
    miharu.init(database, exporters=["otlp"])
    ask()
    receiver.wait(1)
    ask()
    receiver.wait(2)
    assert miharu.flush(20)
    assert miharu.stats()["not_exported"] == 1
    assert miharu.stats()["written"] == 2
    [said] = warnings(caplog, f"refused traces (HTTP status {status}")
    assert "\x1b" not in said
    assert "bad [31mspan" in said


def test_a_part_that_is_refused_is_counted(
    receiver: Receiver, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    partial = ExportTraceServiceResponse()
    partial.partial_success.rejected_spans = 2
    partial.partial_success.error_message = "too old"
    receiver.answers = [Answer(body=partial.SerializeToString())]
    miharu.init(database, exporters=["otlp"])
    for _ in range(3):
        ask()
    assert miharu.flush(20)
    assert len(receiver.at("/v1/traces")) == 1
    assert miharu.stats()["not_exported"] == 2
    assert warnings(caplog, "only a part of the traces: too old") != []


def test_an_answer_that_is_no_message_is_an_answer(receiver: Receiver, database: Path) -> None:
    receiver.answers = [Answer(body=b'{"partialSuccess": {}}'), Answer(204)]
    miharu.init(database, exporters=["otlp"])
    for _ in range(2):
        ask()
        assert miharu.flush(20)
    assert len(receiver.at("/v1/traces")) == 2
    assert miharu.stats()["not_exported"] == 0


def test_a_connection_that_was_closed_while_it_was_idle_is_made_anew_without_a_word(
    receiver: Receiver, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [Answer(hangs_up=True), Answer(hangs_up=True)]
    miharu.init(database, exporters=["otlp"])
    for _ in range(3):
        ask()
        assert miharu.flush(20)
    assert len(receiver.spans) == 3
    assert len({taken.connection for taken in receiver.at("/v1/traces")}) == 3
    assert warnings(caplog, "cannot be sent") == []


def test_metrics_and_scores_that_are_not_taken_are_not_sent_again(
    receiver: Receiver, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always = lambda path: Answer(200 if path == "/v1/traces" else 404)
    miharu.init(database, exporters=["otlp"])
    for _ in range(3):
        ask()
        miharu.score("0" * 31 + "1", "helpful", 1)
        assert miharu.flush(20)
    assert len(receiver.spans) == 3
    assert len(receiver.at("/v1/metrics")) == len(receiver.at("/v1/logs")) == 1
    assert len(warnings(caplog, "takes no metrics")) == len(warnings(caplog, "takes no logs")) == 1
    assert miharu.stats()["not_exported"] == 3  # the scores; metrics are no records


def test_a_slow_receiver_holds_up_neither_calls_nor_recording(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    gate = threading.Event()
    receiver.always = lambda _: Answer(gate=gate)
    miharu.init(database, exporters=["otlp"])
    for _ in range(20):
        ask()
    assert not miharu.flush(0.5)
    assert len(rows(database)) == 20
    gate.set()
    assert miharu.flush(20)
    assert len(receiver.spans) == 20


@pytest.mark.usefixtures("quick")
def test_one_that_does_not_answer_in_time_is_asked_again(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0.2")
    gate = threading.Event()
    receiver.answers = [Answer(gate=gate)]
    miharu.init(database, exporters=["otlp"])
    ask()
    receiver.wait(1)
    gate.set()
    receiver.wait(2)
    assert warnings(caplog, "no answer in time") != []


def test_a_full_queue_loses_what_comes_and_says_so_once(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "5")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setattr(lane.Lane, "is_due", False)
    miharu.init(database, exporters=["otlp"])
    for _ in range(8):
        ask()
    assert miharu.flush(20)
    assert miharu.stats()["not_exported"] == 3
    assert len(warnings(caplog, "further ones are lost")) == 1
    assert len(rows(database)) == 8


def test_content_is_shed_before_calls(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "MOST_BYTES", 2_500)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    gate = threading.Event()
    receiver.always = lambda _: Answer(gate=gate)
    miharu.init(database, exporters=["otlp"], capture_content=True)
    for _ in range(4):
        ask("a question")
    gate.set()
    assert miharu.flush(20)
    said = [any(one.key == "gen_ai.input.messages" for one in span.attributes) for span in receiver.spans]
    assert said == [True, True, False, False]


@pytest.mark.usefixtures("quick")
def test_what_does_not_speak_http_is_named(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    heard, _ = server.accept()
                except OSError:
                    return
                with heard:
                    heard.sendall(b"\0\0\x06\x04\0\0\0\0\0")  # the settings of HTTP/2
                    heard.shutdown(socket.SHUT_WR)
                    while heard.recv(1 << 16):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        miharu.init(database, exporters=["otlp"])
        ask()
        assert miharu.flush(20)
        assert warnings(caplog, "gRPC's port is 4317") != []
        assert miharu.shutdown(20)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=receiver",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.mark.usefixtures("quick")
def test_a_certificate_that_is_not_trusted_is_refused_and_named(
    database: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with receiving(certificate=certificate) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        miharu.init(database, exporters=["otlp"])
        ask()
        assert miharu.flush(20)
        assert receiver.taken == []
        assert warnings(caplog, "its certificate is not trusted") != []
        assert miharu.shutdown(20)


def test_a_certificate_that_is_named_is_trusted(
    database: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(certificate=certificate) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate[0]))
        miharu.init(database, exporters=["otlp"])
        ask()
        assert miharu.flush(20)
        assert len(receiver.spans) == 1
        assert miharu.shutdown(20)


def test_a_proxy_is_used_where_the_environment_names_one(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver plays the proxy: it is asked for the whole address."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collect.example:4318")
    monkeypatch.setenv("HTTP_PROXY", receiver.url.replace("//", "//user:pass@"))
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.flush(20)
    [taken] = receiver.at("http://collect.example:4318/v1/traces")
    assert taken.headers["host"] == "collect.example:4318"
    assert taken.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_a_proxy_is_tunnelled_through_where_there_is_tls(
    database: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def relay(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # either side may hang up first
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(proxy: socket.socket, port: int) -> None:
        client, _ = proxy.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as target:
            asked.append(client.recv(1 << 16))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there = threading.Thread(target=relay, args=(client, target), daemon=True)
            there.start()
            relay(target, client)
            there.join(20)

    with receiving(certificate=certificate) as receiver, socket.create_server(("127.0.0.1", 0)) as proxy:
        port = int(receiver.url.rpartition(":")[2])
        thread = threading.Thread(target=serve, args=(proxy, port), daemon=True)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate[0]))
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@127.0.0.1:{proxy.getsockname()[1]}")
        miharu.init(database, exporters=["otlp"])
        ask()
        assert miharu.flush(20)
        assert len(receiver.spans) == 1
        assert miharu.shutdown(20)
        thread.join(20)
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{port} ".encode())
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in asked[0]


def test_no_proxy_where_the_environment_says_so(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.flush(20)
    assert len(receiver.spans) == 1


@pytest.mark.parametrize("status", ["away", "slow"])
def test_the_end_of_a_program_is_held_up_no_longer_than_its_bound(database: Path, status: str) -> None:
    """And says what is lost. A receiver that is away costs nothing: it is asked once more."""
    gate = threading.Event()
    with receiving() as receiver:
        receiver.always = lambda _: Answer(gate=gate)
        url = receiver.url if status == "slow" else f"http://127.0.0.1:{free_port()}"
        script = (
            PRELUDE + "import logging, time; logging.basicConfig(stream=sys.stdout)\nask(); ask()\n"
            "while miharu.stats()['written'] < 2: time.sleep(0.01)\n"
            "began = time.monotonic()\nmiharu.shutdown(3.0)\nprint(time.monotonic() - began < 30)\n"
        ).replace("sys.argv[1])", "sys.argv[1], exporters=['otlp'])")
        said = run(script, database, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_METRICS_EXPORTER="none")
        gate.set()
    assert "True" in said.splitlines()[-1]
    assert "the program ends before 2 OpenTelemetry records could be sent" in said
    assert len(rows(database)) == 2


@pytest.mark.parametrize(
    "ending", ["", "sys.exit(0)", "import threading; threading.Thread(target=ask).start()"]
)
def test_a_short_program_ends_without_a_word_and_sends_its_calls(
    receiver: Receiver, database: Path, ending: str
) -> None:
    script = (PRELUDE + f"ask()\n{ending}\n").replace("sys.argv[1])", "sys.argv[1], exporters=['otlp'])")
    assert run(script, database, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) == ""
    assert len(receiver.spans) == (2 if "Thread" in ending else 1)
    assert len(rows(database)) == len(receiver.spans)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_each_side_of_a_fork_sends_its_own(receiver: Receiver, database: Path) -> None:
    script = (
        PRELUDE + "import os\nask()\nassert miharu.flush(20)\nask()\nchild = os.fork()\n"
        "ask()\nassert miharu.flush(20)\n"
        "if child:\n    assert os.waitpid(child, 0)[1] == 0\nelse:\n    miharu.shutdown(20)\n"
        "    os._exit(0)\n"
    ).replace("sys.argv[1])", "sys.argv[1], exporters=['otlp'])")
    run(script, database, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    spans = [span.span_id.hex() for span in receiver.spans]
    assert sorted(spans) == sorted(row["span_id"] for row in rows(database))
    assert len(spans) == len(set(spans)) == 4


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("0", 0.0),
        ("-5", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=10.0) == seconds


class Connection:
    """One whose answers a test gives."""

    def __init__(self, *answers: Heard | Exception) -> None:
        self.answers = list(answers)
        self.posted: list[bytes] = []

    def __call__(self, _: Endpoint) -> Any:
        return self

    def post(self, body: bytes) -> Heard:
        self.posted.append(body)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


def lane_of(connection: Connection, **facts: Any) -> Lane:
    endpoint = Endpoint(signal="traces", url="http://localhost/v1/traces")
    here = {"most_waiting": 100, "most_at_once": 10} | facts
    return Lane(endpoint, lambda records: repr(records).encode(), connect=connection, **here)


def test_pauses_grow_up_to_a_minute_and_begin_anew_once_something_is_taken() -> None:
    connection = Connection(*[ConnectionRefusedError()] * 10, Heard(200), ConnectionRefusedError())
    one = lane_of(connection)
    one.put("a", 1)
    now, pauses = 0.0, []
    for _ in range(10):
        assert not one.send(now)
        pauses.append(one.retry_at - now)
        now = one.retry_at
    for number, pause in enumerate(pauses):
        middle = min(60.0, 2.0**number)
        assert 0.75 * middle <= pause <= 1.25 * middle
    assert one.send(now)
    one.put("b", 1)
    assert not one.send(now)
    assert one.retry_at - now <= 1.25


def test_a_request_that_is_put_off_for_too_long_makes_way() -> None:
    connection = Connection(Heard(503), Heard(503), Heard(200))
    one = lane_of(connection, most_at_once=1)
    one.put("poison", 1)
    one.put("good", 1)
    assert not one.send(1.0)
    assert one.send(1.0 + lane.ENDURED_S + 1)
    assert connection.posted == [b"['poison']", b"['poison']", b"['good']"]
    assert one.lost == 1


def test_a_receiver_that_is_away_loses_nothing_however_long() -> None:
    one = lane_of(Connection(*[ConnectionRefusedError()] * 3, Heard(200)))
    one.put("a", 1)
    for day in (0.0, 86_400.0, 172_800.0):
        assert not one.send(day)
    assert one.send(259_200.0)
    assert one.lost == 0


def test_large_content_is_divided_among_requests() -> None:
    connection = Connection(*[Heard(200)] * 3)
    one = lane_of(connection)
    for name in "abc":
        one.put(name, lane.REQUEST_BYTES)
    assert one.send(0.0)
    assert connection.posted == [b"['a']", b"['b']", b"['c']"]


def test_an_idle_exporter_has_no_thread(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    assert miharu.flush(20)
    assert "miharu-otlp" not in {thread.name for thread in threading.enumerate()}
    ask()
    assert miharu.flush(20)
    assert miharu.shutdown(20)
    deadline = time.monotonic() + 20
    while "miharu-otlp" in {thread.name for thread in threading.enumerate()}:
        assert time.monotonic() < deadline
