"""Each SDK, each scenario: the rows are what the provider told, no more and no fewer."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

from tests.sdks.conftest import Played, installed
from tests.sdks.drivers import ALL
from tests.sdks.provider import Told
from tests.sdks.scene import Sdk
from tests.sdks.table import Table


def _has(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


if not (_has("anthropic") or _has("litellm")):
    pytest.skip(
        "the SDKs have environments of their own: requirements/sdks.txt, requirements/sdks-httpx.txt",
        allow_module_level=True,
    )

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDKs' own; miharu's failures are counted below
CASES = [(sdk, scenario) for sdk in ALL for scenario in sdk.plays]


@pytest.mark.parametrize(
    ("sdk", "scenario"), [pytest.param(*case, id=f"{case[0].name}: {case[1]}") for case in CASES]
)
def test_it_is_seen(sdk: Sdk, scenario: str, play: Callable[[Sdk, str], Played], table: Table) -> None:
    found = installed(sdk)
    if found is None:
        pytest.skip(f"{sdk.package} is not installed")
    played = play(sdk, scenario)
    wrong = _wrong(sdk, scenario, played)
    table.note(
        sdk.name,
        sdk.package,
        found,
        scenario,
        clients=played.clients,
        rows=len(played.rows),
        calls=len(played.told),
        right=not wrong,
    )
    assert not wrong


def _wrong(sdk: Sdk, scenario: str, played: Played) -> list[str]:
    """Every way in which the rows are not what they should be."""
    if played.error is not None:
        return [f"the SDK raised {type(played.error).__name__}: {played.error}"]
    wrong = []
    if len(played.told) != sdk.expected(scenario):
        wrong.append(f"the SDK made {len(played.told)} calls, not {sdk.expected(scenario)}")
    if len(played.rows) != len(played.told):
        apis = [row["api"] for row in played.rows]
        return [*wrong, f"{len(played.told)} calls are {len(played.rows)} rows: {apis}"]
    for number, (row, told) in enumerate(zip(played.rows, played.told, strict=True), 1):
        wanted = _wanted(sdk, told)
        if scenario == "retry" and sdk.counts_attempts:
            wanted["attempt"] = number
        wrong += [
            f"row {number}: {name} is {row[name]!r}, not {value!r}"
            for name, value in wanted.items()
            if row[name] != value
        ]
        if told.stream and told.status == 200 and row["ttft_ms"] is None:
            wrong.append(f"row {number}: it has no time to the first token")
    if scenario == "retry":
        groups = {row["call_group"] for row in played.rows}
        if len(groups) != 1 or None in groups:
            wrong.append(f"the attempts are of no one call: call_group {groups}")
    if played.failures:
        wrong.append(f"miharu failed {played.failures} times inside")
    return wrong


def _wanted(sdk: Sdk, told: Told) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "api": told.api,
        "model": told.model,
        "http_status": told.status,
        "status": "success" if told.status == 200 else "error",
    }
    if sdk.provider is not None:
        wanted["provider"] = sdk.provider
    if told.status == 200:
        wanted |= {
            "stream": int(told.stream),
            "prompt_tokens": told.prompt_tokens,
            "completion_tokens": told.completion_tokens,
            "cached_tokens": told.cached_tokens,
            "finish_reason": told.finish_reason,
            "usage_source": "provider",
        }
    elif told.status in {429, 503}:
        wanted["retry_after_ms"] = 1
    return wanted
