import json
import re
from pathlib import Path

import pytest

from miharu.cli._range import range_ms, range_words
from miharu.wording.numbers import UNKNOWN

from .conftest import Run


def test_the_sums_are_printed_as_a_table(run: Run, recorded: Path) -> None:
    done = run("stats", "--database", str(recorded))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"Calls of the last 24 hours in {recorded}"
    assert "6; 2 failed, 1 of them rate-limited" in lines[2]
    assert "1 of unknown price not included" in lines[3]
    assert re.search(r"on disk +[\d.]+ [kM]B, calls of all time", done.stdout)
    assert "\x1b" not in done.stdout
    assert "in-house?[31m-7b" in done.stdout
    table = lines[lines.index(next(line for line in lines if line.startswith("  model"))) :]
    assert len({len(line) for line in table}) == 1
    assert [line.split()[0] for line in table][1] == "gpt-4o-2024-08-06"
    assert next(line for line in table if "in-house" in line).split()[3] == UNKNOWN


def test_programs_get_json(run_process: Run, recorded: Path) -> None:
    done = run_process("stats", "--database", f"sqlite:///{recorded}", "--range", "1h", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["database"] == str(recorded)
    assert said["end"] - said["start"] == 3_600_000
    assert (said["totals"]["calls"], said["totals"]["errors"], said["totals"]["unpriced"]) == (6, 2, 1)
    assert (
        said["totals"]["cost_nanousd"] == sum(group["totals"]["cost_nanousd"] for group in said["models"]) > 0
    )
    assert said["size_bytes"] >= recorded.stat().st_size > 0
    assert said["latency"]["p95_ms"] >= said["latency"]["p50_ms"]
    assert [group["key"] for group in said["routes"]] == [None]


def test_the_sums_are_of_the_calls_that_are_meant(run: Run, recorded: Path) -> None:
    for conditions, calls in (
        ("model:gpt-4o*", 3),
        ("-status:success", 2),
        ("-model:gpt-4o* status:success", 1),
    ):
        done = run("stats", "--json", "--database", str(recorded), "--where", conditions)
        assert json.loads(done.stdout)["totals"]["calls"] == calls


def test_where_nothing_is_found_it_says_what_would_have_been(run: Run, recorded: Path) -> None:
    done = run("stats", "--database", str(recorded), "--where", "model:gpt-4o")
    assert done.returncode == 0
    assert re.fullmatch(
        r"miharu: No call here has the model gpt-4o\. Names that begin with it: gpt-4o-.* "
        r"Perhaps model:gpt-4o\*\n",
        done.stderr,
    )
    for more in (["--json"], ["--range", "30d", "--where", "model:gpt-4o*"]):
        where = [] if "--where" in more else ["--where", "model:gpt-4o"]
        assert run("stats", "--database", str(recorded), *where, *more).stderr == ""


def test_nothing_happened_is_an_answer(run: Run, recorded: Path, tmp_path: Path) -> None:
    import sqlite3

    copy = tmp_path / "old.db"
    with sqlite3.connect(recorded) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("DELETE FROM llm_calls")
    source.close()
    target.close()
    done = run("stats", "--database", str(copy), "--range", "30s")
    assert done.returncode == 0
    assert done.stdout.startswith("Calls of the last 30 seconds in")


@pytest.mark.parametrize(
    ("text", "ms", "words"),
    [
        ("90s", 90_000, "90 seconds"),
        ("1m", 60_000, "minute"),
        ("24h", 86_400_000, "24 hours"),
        ("48h", 172_800_000, "2 days"),
        ("7D", 604_800_000, "7 days"),
        ("2w", 1_209_600_000, "2 weeks"),
    ],
)
def test_a_range_is_a_number_and_a_unit(text: str, ms: int, words: str) -> None:
    assert range_ms(text) == ms
    assert range_words(ms) == words
