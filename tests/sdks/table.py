"""What was seen of each SDK, kept as JSON by the run, and the page that is made of it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.sdks.scene import SCENARIOS

__all__ = ("SEEN", "Table", "page")

SEEN = Path(__file__).parent / "seen"
UNSEEN = Path(__file__).with_name("unseen.md")
"""What no run can show."""
_LINES = {"sdks": "requirements-sdks.txt", "sdks-httpx": "requirements-sdks-httpx.txt"}
_HEAD = """\
# What is seen

Made by a test run: `tests/sdks` drives the real SDKs against a provider on the same machine and compares each
row that miharu wrote with what the provider had told: one row per attempt, with the right wire format, model,
tokens and outcome. To repeat it: `scripts/test --full`, then `scripts/coverage_table`.
`miharu doctor` says the same of the SDKs in your own environment.

The HTTP client is what really carried the calls. A cell is rows seen / calls made. The error is a 429 without
another try; the retry is a 503, a 429 and an answer. In bold: not yet as it should be. A dash: the SDK itself
has no such thing.
"""


class Table:
    """Notes what a run has seen, and saves it when it was a whole one."""

    def __init__(self) -> None:
        self._sdks: dict[str, dict[str, Any]] = {}

    def note(
        self,
        name: str,
        package: str,
        version: str,
        scenario: str,
        *,
        clients: Iterable[str],
        rows: int,
        calls: int,
        right: bool,
    ) -> None:
        sdk = self._sdks.setdefault(
            name, {"sdk": name, "package": package, "version": version, "clients": [], "scenarios": {}}
        )
        sdk["clients"] = sorted({*sdk["clients"], *clients})
        sdk["scenarios"][scenario] = {"rows": rows, "calls": calls, "right": right}

    def save(self, whole: set[tuple[str, str]]) -> None:
        """Save it, unless only some of the SDKs or scenarios were run."""
        done = {(name, scenario) for name, sdk in self._sdks.items() for scenario in sdk["scenarios"]}
        if not done or done != whole:
            return
        old = any(sdk["package"] == "openai" and sdk["version"] < "3" for sdk in self._sdks.values())
        SEEN.mkdir(exist_ok=True)
        lines = ",\n".join(map(json.dumps, self._sdks.values()))
        (SEEN / f"{'sdks-httpx' if old else 'sdks'}.json").write_text(f"[\n{lines}\n]\n")


def page() -> str:
    """``docs/coverage.md``."""
    parts = [_HEAD]
    for line, requirements in _LINES.items():
        file = SEEN / f"{line}.json"
        if not file.exists():
            continue
        parts.append(f"## `{requirements}`\n")
        parts.append(f"| SDK | version | HTTP client | {' | '.join(SCENARIOS)} |")
        parts.append("|---|---|---|" + "---|" * len(SCENARIOS))
        parts.extend(map(_row, json.loads(file.read_text())))
        parts.append("")
    return "\n".join([*parts, UNSEEN.read_text()])


def _row(sdk: Mapping[str, Any]) -> str:
    cells = [_cell(sdk["scenarios"].get(scenario)) for scenario in SCENARIOS]
    client = ", ".join(sdk["clients"]) or "**none seen**"
    return f"| {sdk['sdk']} | {sdk['version']} | {client} | {' | '.join(cells)} |"


def _cell(seen: Mapping[str, Any] | None) -> str:
    if seen is None:
        return "—"
    text = f"{seen['rows']} / {seen['calls']}"
    return text if seen["right"] else f"**{text}**"
