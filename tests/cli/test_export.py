import csv
import io
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from miharu.call import Body, Cost, Outcome, Usage
from miharu.cli import export, main
from miharu.cli._flat import COLUMNS
from miharu.testing.store_contract import NOON, make_call

from .conftest import Run, stored

USAGE = Usage(prompt_tokens=7, completion_tokens=2, usage_source="provider", usage_raw='{"prompt_tokens": 7}')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return stored(
        tmp_path / "calls.db",
        make_call(
            timestamp=NOON,
            model="a",
            usage=USAGE,
            tags={"team": "search"},
            rate_limit="not JSON",
            body=Body(request=b'{"ask": "\xc3\xbc"}', response=b"\xff"),
        ),
        make_call(
            timestamp=NOON + 1,
            model='=HYPERLINK("http://evil")',
            user_id="u",
            route="POST /a",
            cost=None,
            outcome=Outcome(status="error", http_status=500, error_message="two\nlines; 日本"),
        ),
        make_call(
            timestamp=NOON + 2, model="c", cost=Cost(cost_nanousd=1, cost_source="provider"), stream=True
        ),
    )


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_every_column_and_the_newest_first(file: Path, run_process: Run) -> None:
    done = run_process(
        "export", "--format", "csv", "--database", str(file), env={"LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(done.stdout)
    assert [row["model"] for row in rows] == ["c", '\'=HYPERLINK("http://evil")', "a"]
    assert tuple(rows[0]) == COLUMNS
    assert [row["cost_nanousd"] for row in rows] == ["1", "", "1000"]
    assert [row["stream"] for row in rows] == ["1", "0", "0"]
    assert float(rows[2]["cost_cents"]) == 0.0001
    assert rows[1]["error_message"] == "two\nlines; 日本"
    assert json.loads(rows[2]["usage_raw"]) == {"prompt_tokens": 7}


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_no_cell_can_become_a_formula(tmp_path: Path, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = make_call(user_id=f'{start}cmd|"/c calc"!A1', tags={"a": start})
    file = stored(tmp_path / "calls.db", hostile)
    assert main(["export", "--format", "csv", "--database", str(file)]) == 0
    [row] = table(capsys.readouterr().out)
    assert row["user_id"] == f"'{hostile.user_id}"
    assert not [cell for cell in row.values() if cell.startswith(start)]


def test_json_lines_are_whole_calls(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "jsonl", "--database", str(file)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["stream"] for record in records] == [True, False, False]
    assert tuple(records[2]) == COLUMNS
    assert records[2]["usage_raw"] == {"prompt_tokens": 7}
    assert records[2]["tags"] == {"team": "search"}
    assert records[2]["rate_limit"] == "not JSON"
    assert records[1]["cost_cents"] is None
    assert records[1]["model"].startswith("=")


def test_content_comes_where_it_is_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "jsonl", "--with-content", "--database", str(file)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (records[2]["request"], records[2]["response"]) == ('{"ask": "ü"}', "\ufffd")
    assert records[0]["request"] is None
    assert main(["export", "--format", "csv", "--with-content", "--database", str(file)]) == 0
    assert table(capsys.readouterr().out)[2]["request"] == '{"ask": "ü"}'


@pytest.mark.parametrize(
    ("filters", "models"),
    [
        (["--model", "a"], ["a"]),
        (["--status", "error"], ['=HYPERLINK("http://evil")']),
        (["--user", "u", "--route", "POST /a"], ['=HYPERLINK("http://evil")']),
        (["--user", "nobody"], []),
    ],
)
def test_filters_hold(
    file: Path, capsys: pytest.CaptureFixture[str], filters: list[str], models: list[str]
) -> None:
    assert main(["export", "--format", "jsonl", "--database", str(file), *filters]) == 0
    found = [json.loads(line)["model"] for line in capsys.readouterr().out.splitlines()]
    assert found == models


@pytest.mark.parametrize(
    ("conditions", "models"),
    [
        ("model:a,c", ["c", "a"]),
        ("-model:a,c", ['\'=HYPERLINK("http://evil")']),
        ("-user:*", ["c", "a"]),
        ("cost<=0.000000001 status:success", ["c"]),
        ("-cost:*", ['\'=HYPERLINK("http://evil")']),
        ("tag:team=search", ["a"]),
    ],
)
def test_conditions_hold(
    file: Path, capsys: pytest.CaptureFixture[str], conditions: str, models: list[str]
) -> None:
    assert main(["export", "--format", "csv", "--database", str(file), "--where", conditions]) == 0
    assert [row["model"] for row in table(capsys.readouterr().out)] == models
    narrower = [f"--where={conditions}", "--user=no"]
    assert main(["export", "--format", "csv", "--database", str(file), *narrower]) == 0
    assert table(capsys.readouterr().out) == []


def test_where_nothing_is_found_it_says_what_would_have_been(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "--format", "jsonl", "--database", str(file)]
    assert main([*command, "--where", "model:A*"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([*command, "--where", "model:A"]) == 0
    out, said = capsys.readouterr()
    assert out == ""
    assert said == "miharu: No call here has the model A. In another case there is: a. Perhaps model:a\n"


@pytest.mark.parametrize("command", [["export", "--format=csv"], ["tail"], ["stats"]])
def test_conditions_that_are_not_understood_say_where(
    command: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--database", str(file), "--where", "model:a costs>1"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "at 9: costs is not a field. Perhaps cost" in said
    assert said.endswith("model:a costs>1\n        ^^^^^\nPerhaps: model:a cost>1\n")


def test_a_range_ends_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = time.time_ns() // 1_000_000
    calls = [make_call(timestamp=now - hours * 3_600_000, user_id=str(hours)) for hours in (0, 2, 30)]
    file = stored(tmp_path / "calls.db", *calls)
    assert main(["export", "--format", "csv", "--range", "24h", "--database", str(file)]) == 0
    assert [row["user_id"] for row in table(capsys.readouterr().out)] == ["0", "2"]


def test_pages_follow_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PAGE", 7)
    file = stored(tmp_path / "calls.db", *(make_call(timestamp=NOON + i // 3) for i in range(50)))
    assert main(["export", "--format", "csv", "--database", str(file)]) == 0
    assert len({row["id"] for row in table(capsys.readouterr().out)}) == 50


def test_a_file_is_new_whole_and_private(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "calls.csv"
    command = ["export", "--format", "csv", "--database", str(file), "--out", str(out)]
    assert main(command) == 2
    assert "No such file or directory" in capsys.readouterr().err
    out.parent.mkdir()
    assert main(command) == 0
    assert capsys.readouterr().out == f"3 calls are in {out}.\n"
    assert len(table(out.read_text(encoding="utf-8"))) == 3
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert main(command) == 2
    assert "exists already" in " ".join(capsys.readouterr().err.split())

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_written", broken)
    out.unlink()
    assert main(command) == 2
    assert "No space left on device" in " ".join(capsys.readouterr().err.split())
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_name_cannot_command_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    file = stored(tmp_path / "calls.db", make_call(model="a\x1b[2J\x9b2Jb"))
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdout.isatty", lambda: True)
        assert main(["export", "--format", form, "--database", str(file)]) == 0
    said = capsys.readouterr().out
    assert not {"\x1b", "\x9b"} & set(said)
    assert said.count("\n") == (2 if form == "csv" else 1)


def test_the_format_is_asked_for(run: Run) -> None:
    done = run("export")
    assert (done.returncode, "--format" in done.stderr) == (2, True)
