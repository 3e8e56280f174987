"""What an SDK makes of a call that is refused: the refusal, or an error of its own that leads to it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu import monitor
from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.store_contract import make_call
from tests.sdks.conftest import installed
from tests.sdks.drivers import ALL
from tests.sdks.provider import Provider
from tests.sdks.scene import Scene, Sdk
from tests.sdks.test_matrix import CASES

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDKs' own


@pytest.fixture
def used_up(database: Path) -> Iterator[None]:
    miharu.init(database, budgets=[miharu.Budget(1, refuse=True)])
    running = monitor.current()
    assert running is not None
    cost = Cost(cost_nanousd=2 * 10**9, cost_source="test")

    store = SQLiteStore(running.config.database).writer()
    store.open()
    store.add(Batch(calls=[make_call(timestamp=time.time_ns() // 1_000_000, cost=cost)]))
    store.close()
    assert miharu.flush()
    yield
    miharu.shutdown()


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("sdk", "scenario"),
    [
        pytest.param(*case, id=f"{case[0].name}: {case[1]}")
        for case in CASES
        if case[1] in {"plain", "streamed"}
    ],
)
def test_the_refusal_is_among_the_causes(
    sdk: Sdk, scenario: str, provider: Provider, run: Callable[[Any], Any], used_up: None
) -> None:
    if installed(sdk) is None:
        pytest.skip(f"{sdk.package} is not installed")
    assert sdk in ALL
    provider.begin()
    with pytest.raises(Exception) as raised:
        Scene(provider.port, sdk.asynchronous, retries=0).run(sdk.plays[scenario], run)
    refusals = [error for error in causes(raised.value) if isinstance(error, miharu.BudgetExceeded)]
    assert len(refusals) == 1
    assert "2.00 of 1.00 USD" in str(refusals[0])
    assert provider.told == []
    assert miharu.stats()["refused"] >= 1
    assert miharu.stats()["captured"] == 0
