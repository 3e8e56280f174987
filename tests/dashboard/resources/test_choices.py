import re

import pytest

from miharu.testing.store_contract import make_call
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio


def offered(body: bytes) -> dict[str, list[str]]:
    selects = re.findall(r'<select name="(\w+)">(.*?)</select>', body.decode(), re.DOTALL)
    return {name: re.findall(r"<option[^>]*>([^<]+)</option>", options) for name, options in selects}


def store() -> MemoryStore:
    made = {"m-dear": 9, "m-cheap": 1}
    return MemoryStore(
        make_call(timestamp=NOW - n, model=model, user_id=None, route="POST /ask")
        for model, calls in made.items()
        for n in range(1, calls + 1)
    )


async def test_the_dearest_come_first_and_what_no_call_has_is_not_offered() -> None:
    found = offered((await get(make_site(store()), "choices")).body)
    assert found["model"] == ["any", "m-dear", "m-cheap"]
    assert found["route"] == ["any", "POST /ask"]
    assert "user" not in found


async def test_what_is_chosen_is_always_among_them() -> None:
    page = await get(make_site(store()), "choices", model="m-gone")
    assert offered(page.body)["model"] == ["any", "m-gone", "m-dear", "m-cheap"]
    assert b"<option selected>m-gone</option>" in page.body


async def test_a_page_asks_for_none_of_them_but_has_the_three_statuses() -> None:
    page = await get(make_site(store()), "calls", status="error")
    assert offered(page.body) == {"status": ["any", "success", "error", "cancelled"]}
    assert b"<option selected>error</option>" in page.body
