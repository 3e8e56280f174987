"""genai-prices is imported without its HTTP client, and works with it all the same."""

import json
from pathlib import Path

from tests.programs import run

SCRIPT = """
import inspect, json, sys, typing
from miharu.pricing._library import import_prices
BEFORE
finders = list(sys.meta_path)
import_prices()
import genai_prices
from genai_prices import update_prices
source = inspect.getsource(update_prices)
print(json.dumps({
    "client": "httpx2" in sys.modules,
    "finders": sys.meta_path == finders,
    "source": "class UpdatePrices" in source,
    "loader": type(update_prices.__spec__.loader).__name__ == type(genai_prices.__spec__.loader).__name__,
    "timeout": type(genai_prices.UpdatePrices().request_timeout).__module__,
    "hint": typing.get_type_hints(genai_prices.UpdatePrices)["request_timeout"].__name__,
    "whole": update_prices.httpx2.Client is sys.modules["httpx2"].Client,
}))
"""
WORKS = {
    "finders": True,
    "source": True,
    "loader": True,
    "timeout": "httpx2",
    "hint": "Timeout",
    "whole": True,
}


def test_the_client_comes_with_its_first_use(tmp_path: Path) -> None:
    assert json.loads(run(SCRIPT.replace("BEFORE", ""), tmp_path / "x")) == WORKS | {"client": False}


def test_a_client_that_is_there_is_taken(tmp_path: Path) -> None:
    out = run(SCRIPT.replace("BEFORE", "import httpx2"), tmp_path / "x")
    assert json.loads(out) == WORKS | {"client": True}


def test_the_programs_own_import_stays_as_it_is(tmp_path: Path) -> None:
    out = run(SCRIPT.replace("BEFORE", "import genai_prices"), tmp_path / "x")
    assert json.loads(out) == WORKS | {"client": True}
