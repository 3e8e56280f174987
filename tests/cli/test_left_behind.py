"""Calls that dead processes have left beside the database: whoever may write brings them in."""

import json
import os
import time
from pathlib import Path

import httpx
import pytest

from miharu.batch import Batch
from miharu.call import Usage
from miharu.recorder.spool import Spool, place_for
from miharu.testing.store_contract import make_call

from .conftest import Run, serving, stored
from .test_tail import ended, now, tailing


def left(file: Path, calls: int = 3, *, alive: bool = False) -> Spool:
    """What a process has put beside that database before it died."""
    spool = Spool(place_for(f"sqlite:///{file}"))
    usage = Usage(prompt_tokens=1000, completion_tokens=10, usage_source="provider")
    for number in range(calls):
        call = make_call(timestamp=now() - number, model="gpt-4o", provider="openai", usage=usage, cost=None)
        spool.append(Batch(calls=[call]))
    if not alive:
        spool.close()
    return spool


def counted(run: Run, file: Path) -> tuple[int, int, str]:
    """Calls, those without a price, and what was said beside them."""
    done = run("stats", "--json", "--database", str(file))
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["totals"]
    return totals["calls"], totals["unpriced"], done.stderr


def spools(file: Path) -> list[str]:
    return [path.name for path in file.parent.iterdir() if ".spool" in path.name]


def test_they_make_the_database_that_is_not_there(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    left(file)
    assert spools(file)
    assert counted(run, file) == (3, 0, "")
    assert spools(file) == []


def test_they_are_added_to_those_that_are_there(run: Run, tmp_path: Path) -> None:
    file = stored(tmp_path / "calls.db", make_call(timestamp=now()))
    left(file)
    assert counted(run, file)[0] == 4


def test_those_of_a_process_that_lives_are_counted(run_process: Run, tmp_path: Path) -> None:
    file = stored(tmp_path / "calls.db", make_call(timestamp=now()))
    spool = left(file, 5, alive=True)
    calls, _, said = counted(run_process, file)
    assert calls == 1
    assert "5 calls are not in these figures yet" in said
    assert str(spool.place) in said
    spool.close()
    assert counted(run_process, file) == (6, 0, "")


def test_those_of_another_user_are_counted(run_process: Run, tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can make a file of another user's")
    file = stored(tmp_path / "calls.db", make_call(timestamp=now()))
    left(file)
    for name in spools(file):
        os.chown(tmp_path / name, 65534, 65534)
    calls, _, said = counted(run_process, file)
    assert calls == 1
    assert "3 calls are not in these figures yet" in said
    assert spools(file)


def test_a_database_without_calls_is_an_answer(run: Run, tmp_path: Path) -> None:
    calls, _, said = counted(run, tmp_path / "calls.db")
    assert calls == 0
    assert "There is no database at" in said
    assert not (tmp_path / "calls.db").exists()


def test_tail_prints_them(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    left(file, 2)
    with tailing(tmp_path, "--database", str(file)) as process:
        assert process.stdout is not None
        assert ["gpt-4o" in process.stdout.readline() for _ in range(2)] == [True, True]
        assert ended(process)[0] == 0


def test_the_dashboard_waits_for_a_database_and_brings_them_in(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    with (
        serving(tmp_path, "dashboard", "--database", str(file), "--port", "0") as served,
        httpx.Client(base_url=served.address, trust_env=False, timeout=30) as http,
    ):
        page = http.get("")
        assert page.status_code == 503
        assert "No calls yet" in page.text
        assert 'http-equiv="refresh"' in page.text
        left(file, 7)
        deadline = time.monotonic() + 60
        while http.get("").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert http.get("api/totals").json()["calls"] == 7
