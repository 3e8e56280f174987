"""What can only wait is not asked about again and again."""

from functools import partial
from typing import Any

import pytest

from miharu.stores.postgres import rolling_up
from miharu.stores.postgres.writer import PostgresWriter

pytestmark = pytest.mark.anyio


class Elsewhere:
    """A database in which another process does the step that is due."""

    def __init__(self) -> None:
        self.steps = 0

    async def run(self, work: "partial[Any]") -> Any:
        if work.func is rolling_up.is_due:
            return True
        if work.func is rolling_up.roll_up:
            self.steps += 1
            return False
        return 0


async def test_a_step_that_another_process_does_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, database = PostgresWriter("postgresql+asyncpg://db/calls"), Elsewhere()
    monkeypatch.setattr(writer, "database", database)
    writer.use_texts(lambda _: ())
    assert await writer.roll_up() is False
    assert database.steps == 1
