"""Where no file outlasts the instance, ``init()`` says so once."""

import logging
from pathlib import Path

import pytest

import miharu
from miharu import _guard
from miharu.config import location
from miharu.config.platform import platform_without_disk

PLATFORMS = {
    "AWS Lambda": {"AWS_LAMBDA_FUNCTION_NAME": "answer", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"},
    "Vercel": {"VERCEL": "1", "VERCEL_ENV": "preview", "AWS_LAMBDA_FUNCTION_NAME": "x"},
    "Cloud Run": {"K_SERVICE": "answer", "K_REVISION": "answer-1", "PORT": "8080"},
    "Cloud Run functions": {"K_SERVICE": "answer", "FUNCTION_TARGET": "main"},
    "Azure Functions": {"FUNCTIONS_WORKER_RUNTIME": "python"},
}
LASTING = {
    "a machine": {},
    "a job of Cloud Run's imitator": {"PORT": "8080"},
    "Azure's tools on a developer's machine": {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    },
    "vercel dev": {"VERCEL": "1", "VERCEL_ENV": "development"},
    "an instance of EC2": {"AWS_EXECUTION_ENV": "AWS_ECS_EC2"},
}


@pytest.mark.parametrize(("name", "environ"), PLATFORMS.items(), ids=PLATFORMS)
def test_a_platform_is_known_by_its_variables(name: str, environ: dict[str, str]) -> None:
    assert platform_without_disk(environ) == name


def test_a_job_of_cloud_run_has_no_service() -> None:
    assert platform_without_disk({"CLOUD_RUN_JOB": "nightly"}) == "Cloud Run"


@pytest.mark.parametrize("environ", LASTING.values(), ids=LASTING)
def test_files_last_elsewhere(environ: dict[str, str]) -> None:
    assert platform_without_disk(environ) is None


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guard, "_said", set())
    for name, value in PLATFORMS["AWS Lambda"].items():
        monkeypatch.setenv(name, value)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.usefixtures("on_lambda")
def test_it_is_said_once(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        miharu.init(database)
        miharu.shutdown()
    [said] = warnings(caplog)
    assert "this is AWS Lambda, where no file outlasts the instance" in said
    assert "MIHARU_DATABASE_URL" in said
    assert "miharu.flush()" in said


@pytest.mark.usefixtures("on_lambda")
def test_it_is_not_said_where_calls_leave_the_instance(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Elsewhere:
        async def export(self, batch: object) -> None:
            pass

        async def close(self) -> None:
            pass

    for settings in ({"database": ":memory:"}, {"database": database, "exporters": [Elsewhere()]}):
        miharu.init(**settings)
        miharu.shutdown()
    assert warnings(caplog) == []


@pytest.mark.usefixtures("on_lambda")
def test_where_there_is_no_place_at_all_the_remedy_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nowhere(*_: object) -> Path:
        raise location.NoPlace("There is no place for calls.")

    monkeypatch.setattr(location, "default_database", nowhere)
    monkeypatch.setattr("miharu.config.database._under_pytest", lambda environ: False)
    miharu.init()
    assert len(warnings(caplog)) == 2
    assert "this is AWS Lambda" in warnings(caplog)[1]
