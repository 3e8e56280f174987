"""Newer data is used without a restart, and its moment is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from genai_prices import data_snapshot, update_prices
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelPrice

from miharu.pricing.genai import GenaiPrices
from miharu.pricing.updates import Updates
from tests.pricing.test_genai import cost


@pytest.fixture(autouse=True)
def bundled() -> Iterator[None]:
    """The data of the package before and after."""
    data_snapshot.set_custom_snapshot(None)
    yield
    data_snapshot.set_custom_snapshot(None)


FETCHED = datetime(2026, 11, 30, 12, 5, tzinfo=UTC).astimezone()
"""By the clock on the wall, as genai-prices keeps it."""


def dearer() -> DataSnapshot:
    """Other data: gpt-4o-mini at a dollar and two."""
    listed = [deepcopy(provider) if provider.id == "openai" else provider for provider in providers]
    openai = next(provider for provider in listed if provider.id == "openai")
    model = next(model for model in openai.models if model.id == "gpt-4o-mini")
    model.prices = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2))
    return DataSnapshot(listed, from_auto_update=True, timestamp=FETCHED.replace(tzinfo=None))


def test_what_the_program_fetches_is_honoured_at_once_and_told() -> None:
    package = f"genai-prices {genai_prices.__version__}"
    before = cost("gpt-4o-mini")
    assert before is not None
    assert before.price_version == package
    data_snapshot.set_custom_snapshot(dearer())
    after = cost("gpt-4o-mini")
    assert after is not None
    assert after.cost_nanousd == 1000 * 1000 + 10 * 2000 != before.cost_nanousd
    assert after.price_version == f"{package}, data of 2026-11-30 12:05 UTC"
    assert after.price_version == GenaiPrices().version
    data_snapshot.set_custom_snapshot(None)
    assert cost("gpt-4o-mini") == before


class Block:
    """Whether one is inside."""

    def __init__(self) -> None:
        self.inside = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.inside = True
        yield
        self.inside = False


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each fetch whether it was inside the block."""
    seen: list[bool] = []

    def fetch(_: Any) -> DataSnapshot:
        seen.append(block.inside)
        return dearer()

    monkeypatch.setattr(update_prices.UpdatePrices, "fetch", fetch)
    return seen


block = Block()


def test_it_fetches_unseen_until_it_is_stopped(fetches: list[bool]) -> None:
    updates = Updates(block)
    updates.stop()
    assert fetches == []
    updates.start()
    updates.start()
    assert update_prices.wait_prices_updated_sync(10)
    assert fetches == [True]
    found = cost("gpt-4o-mini")
    assert found is not None
    assert found.cost_nanousd == 1_020_000
    thread = update_prices._shared_updater.thread
    updates.stop()
    updates.stop()
    if thread is not None:
        thread.join(10)
    assert update_prices._shared_updater.ref_count == 0


def test_it_begins_anew_where_a_fork_has_ended_its_thread(
    fetches: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a child genai-prices remembers a thread that is gone."""
    import threading

    gone = threading.Thread(target=bool)
    gone.start()
    gone.join()
    monkeypatch.setattr(update_prices._shared_updater, "thread", gone)
    monkeypatch.setattr(update_prices._shared_updater, "ref_count", 1)
    update_prices._shared_updater.ready.clear()
    updates = Updates(block)
    updates.start()
    assert update_prices.wait_prices_updated_sync(10)
    assert fetches == [True]
    thread = update_prices._shared_updater.thread
    updates.stop()
    if thread is not None:
        thread.join(10)
