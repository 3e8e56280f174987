"""Plans that are kept beside the database, so that most programs never load the list of prices.

The list is the most expensive of all that a short program would load. A plan holds for as long as miharu and
genai-prices are the same versions; others are not read.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from miharu._guard import say_once
from miharu._version import __version__
from miharu.call import Call, Cost
from miharu.files.private import read, replace
from miharu.pricing.plans.plan import NAMES, Key, Plan, key_of

__all__ = ("KeptPlans",)

_MOST = 256
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class _Kept:
    """The content of the file."""

    made_by: str
    plans: list[tuple[Key, Plan]]


class KeptPlans:
    """Prices of calls like those that were seen before, by this program or another one."""

    def __init__(self, path: Path) -> None:
        """Prepare; the file is read with the first call."""
        self._path = path
        self._prices = _version_of_the_list()
        self._made_by = f"miharu {__version__}, {self._prices}"
        self._plans: dict[Key, Plan] | None = None

    def cost(self, call: Call) -> Cost | None:
        """What the call cost, if there is a plan of it."""
        if "genai_prices" in sys.modules:
            return None  # the list is there, and the program may have fetched newer prices
        if self._plans is None:
            self._plans = self._read()
        key = key_of(call) if self._plans else None
        plan = self._plans.get(key) if key is not None else None
        return plan.cost(call.usage) if plan is not None and plan.holds(call) else None

    def keep(self, plans: Mapping[Key, Plan]) -> None:
        """Add these plans to the file, for the next program; only the newest, if there are many."""
        ours = {key: plan for key, plan in plans.items() if plan.version == self._prices}
        known = self._read() if ours else {}
        if ours.keys() <= known.keys():
            return
        import msgspec

        kept = list({**known, **ours}.items())[-_MOST:]
        with suppress(OSError):  # the next program loads the list, then
            content = msgspec.json.encode(_Kept(self._made_by, kept))
            if len(content) <= _LONGEST:
                replace(self._path, content)

    def _read(self) -> dict[Key, Plan]:
        import msgspec

        try:
            content = read(self._path, _LONGEST)
            if not content.startswith(b'{"made_by":' + msgspec.json.encode(self._made_by)):
                return {}  # of another version, whose file may have another form
            kept = msgspec.json.decode(content, type=_Kept)
        except FileNotFoundError:
            return {}
        except OSError as error:
            say_once("%s %s: it is not read.", self._path, error.strerror)
            return {}
        except (ValueError, RecursionError):  # msgspec's own exceptions are among the first
            say_once("%s is not valid: it is not read.", self._path)
            return {}
        return {key: plan for key, plan in kept.plans if _is_possible(key, plan, self._prices)}


def _is_possible(key: Key, plan: Plan, prices: str) -> bool:
    """Whether it is a plan as we make them: of counts that such calls have, from this version of the list."""
    counted = {name for name, above in zip(NAMES, key[-1][len(NAMES) :], strict=False) if above}
    names = [name for name, _ in plan.rates]
    return (
        len(key[-1]) == 2 * len(NAMES)
        and len(names) == len(set(names))
        and counted == set(names)
        and all(rate >= 0 for _, rate in plan.rates)
        and plan.version == prices
        and plan.source in {"genai-prices", "genai-prices:model"}
    )


def _version_of_the_list() -> str:
    try:
        return f"genai-prices {version('genai-prices')}"
    except PackageNotFoundError:
        return ""
