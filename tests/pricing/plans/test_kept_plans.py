"""Plans in a file: the next program says the same without the list, and believes nothing that cannot be."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from miharu.call import Call
from miharu.pricing.genai import GenaiPrices
from miharu.pricing.plans import kept_plans
from miharu.pricing.plans.kept_plans import KeptPlans
from miharu.pricing.plans.plan import key_of
from miharu.pricing.plans.planned import PlannedPrices
from miharu.recorder.reading.reader import Reader
from tests.corpus.fuzz import seeds
from tests.pricing.plans.test_planned import FORMATS, chat
from tests.world import exchange

LONG = GenaiPrices()
USAGE = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.db.plans"


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that has not loaded the list."""
    monkeypatch.delitem(sys.modules, "genai_prices")


def keep(file: Path, *calls: Call) -> PlannedPrices:
    planned = PlannedPrices(LONG)
    for call in calls:
        planned.cost(call)
    KeptPlans(file).keep(planned.plans)
    return planned


def changed(file: Path, **facts: Any) -> None:
    """The file, its first plan with other facts."""
    content = msgspec.json.decode(file.read_bytes())
    content["plans"][0][1] |= facts
    file.write_bytes(msgspec.json.encode(content))


def test_what_is_kept_costs_the_same_as_by_the_list(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [Reader(FORMATS).read(exchange(**facts, chunks=[body])) for facts, body in seeds()]
    unpriced = [replace(call, cost=None) for call in calls if call is not None]
    monkeypatch.setattr(kept_plans, "_MOST", 10_000)
    planned = keep(file, *unpriced)
    costs = [LONG.cost(call) for call in unpriced]
    monkeypatch.delitem(sys.modules, "genai_prices")
    kept = KeptPlans(file)
    found = [kept.cost(call) for call in unpriced]
    assert [cost or listed for cost, listed in zip(found, costs, strict=True)] == costs
    plans = [planned.plans.get(key) if (key := key_of(call)) is not None else None for call in unpriced]
    held = [plan is not None and plan.holds(call) for plan, call in zip(plans, unpriced, strict=True)]
    known = [cost is not None for cost in found]
    assert not any(one and not other for one, other in zip(known, held, strict=True))
    assert (
        sum(known) > 0.75 * sum(held) > 25
    )  # a plan without a rate for each count is not believed from a file


@pytest.mark.usefixtures("unloaded")
def test_it_holds_for_other_counts_and_for_no_other_model(file: Path) -> None:
    keep(file, chat(USAGE))
    kept = KeptPlans(file)
    other = chat({"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16})
    assert kept.cost(other) == LONG.cost(other)
    assert kept.cost(chat(USAGE, model="gpt-4o")) is None
    assert kept.cost(chat({"prompt_tokens": 1, "completion_tokens": 1, "seconds": 3})) is None


@pytest.mark.usefixtures("unloaded")
def test_what_others_have_kept_stays(file: Path) -> None:
    keep(file, chat(USAGE))
    keep(file, chat(USAGE, model="gpt-4o"))
    kept = KeptPlans(file)
    assert kept.cost(chat(USAGE)) is not None
    assert kept.cost(chat(USAGE, model="gpt-4o")) is not None
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("unloaded")
def test_there_are_not_too_many(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_plans, "_MOST", 1)
    keep(file, chat(USAGE))
    keep(file, chat(USAGE, model="gpt-4o"))
    kept = KeptPlans(file)
    assert kept.cost(chat(USAGE)) is None
    assert kept.cost(chat(USAGE, model="gpt-4o")) is not None


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("name", ["__version__", "_version_of_the_list"])
def test_another_version_reads_nothing_of_it(
    file: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep(file, chat(USAGE))
    monkeypatch.setattr(kept_plans, name, lambda: "genai-prices 99" if name.startswith("_v") else "99")
    assert KeptPlans(file).cost(chat(USAGE)) is None
    assert not caplog.messages


def test_the_list_is_asked_where_the_program_has_loaded_it(file: Path) -> None:
    """It may have fetched newer prices."""
    keep(file, chat(USAGE))
    assert KeptPlans(file).cost(chat(USAGE)) is None


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(
    "facts",
    [
        {"rates": [["prompt_tokens", -1], ["completion_tokens", 1]]},
        {"rates": [["prompt_tokens", 1]]},
        {"rates": [["prompt_tokens", 1], ["prompt_tokens", 1], ["completion_tokens", 1]]},
        {"rates": [["prompt_tokens", 1], ["completion_tokens", 1], ["cached_tokens", 1]]},
        {"rates": [["__class__", 1], ["completion_tokens", 1]]},
        {"version": "genai-prices 0, data of tomorrow"},
        {"source": "<b>"},
    ],
)
def test_a_plan_that_cannot_be_ours_is_left_out(file: Path, facts: dict[str, Any]) -> None:
    keep(file, chat(USAGE))
    assert KeptPlans(file).cost(chat(USAGE)) is not None
    changed(file, **facts)
    assert KeptPlans(file).cost(chat(USAGE)) is None


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("facts", [{"since": "x"}, {"rates": {}}, {"since": None}])
def test_what_makes_no_sense_is_not_read_and_that_is_said(
    file: Path, facts: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    keep(file, chat(USAGE))
    changed(file, **facts)
    assert KeptPlans(file).cost(chat(USAGE)) is None
    assert f"{file} is not valid" in caplog.text


@pytest.mark.usefixtures("unloaded")
def test_a_file_that_others_can_write_to_is_not_read(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(file, chat(USAGE))
    file.chmod(0o666)
    assert KeptPlans(file).cost(chat(USAGE)) is None
    assert f"{file} " in caplog.text


def test_where_it_cannot_be_written_there_is_none(tmp_path: Path) -> None:
    keep(tmp_path / "missing" / "calls.db.plans", chat(USAGE))
    assert not (tmp_path / "missing").exists()
