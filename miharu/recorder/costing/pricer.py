"""Prices of calls on their way to the store, loaded once they are needed, and what budgets are charged."""

from collections.abc import Callable, Iterable, Sequence

from miharu._guard import swallowed
from miharu.call import Call, filled
from miharu.pricing.base import Prices
from miharu.recorder.costing.costs import facts_of, is_priced, priced

__all__ = ("Pricer",)


class Pricer:
    """Prices calls and charges budgets, on the recorder's thread."""

    def __init__(
        self,
        load: Callable[[], Prices | None],
        known: Prices | None = None,
        charge: Callable[[Call], object] | None = None,
    ) -> None:
        """Prepare; nothing is loaded yet.

        Args:
            load: What things cost. Asked with the first call, and it may take its time.
            known: What some things cost, without loading anything.
            charge: Told of each call of this process as soon as its price is known, once.
        """
        self.is_loading = False
        """Whether prices are on their way."""
        self._load = load
        self._known = known
        self._charge = charge
        self._prices: Prices | None = None
        self._is_loaded = False
        self._uncharged: dict[str, Call] = {}
        """Calls that were spooled before there were prices: a budget cannot wait until they are stored."""
        self._charged_early: set[str] = set()

    def need(self) -> None:
        """Load the prices, unless they are."""
        if not self._is_loaded:
            self.is_loading = True
            self._prices = self._load()
            self._is_loaded, self.is_loading = True, False
            self._charge_spooled()

    def at_once(self, call: Call) -> Call:
        """The call, which was just read, with what can be known now; nothing waits for prices to load."""
        if self._is_loaded:
            call = filled(call, **facts_of(call, self._prices))
        elif call.cost is None and call.cache_missed_tokens is None:
            call = filled(call, **facts_of(call, self._known))
        if self._is_loaded or call.cost is not None:
            self._charged(call)
        return call

    def is_settled(self, call: Call) -> bool:
        """Whether the call has its price, or was read when there were prices to ask."""
        return self._is_loaded or is_priced(call)

    def spooled(self, calls: Iterable[Call]) -> None:
        """These leave memory; those without a price are charged as soon as there is one."""
        if self._charge is not None and not self._is_loaded:
            self._uncharged |= {call.id: call for call in calls if call.cost is None}

    def later(self, call: Call, *, own: bool = True) -> Call:
        """A call that was read before there were prices; they are loaded.

        Args:
            call: The call.
            own: Whether this process has made it.
        """
        found = priced(call, self._prices)
        if own and call.cost is None and found.cost is not None:
            self._charged_once(found)
        return found

    def of_a_spool(self, calls: Sequence[Call], *, own: bool) -> Sequence[Call]:
        """Calls that come from a spool; the prices are loaded where they are needed."""
        found = [self._by_what_is_known(call) for call in calls]
        if not all(map(is_priced, found)):
            self.need()
            return [self.later(call, own=own) for call in calls]
        if own:
            for before, call in zip(calls, found, strict=True):
                if before.cost is None:
                    self._charged_once(call)
        return found

    def _by_what_is_known(self, call: Call) -> Call:
        return priced(call, self._known) if call.cost is None and call.cache_missed_tokens is None else call

    def _charge_spooled(self) -> None:
        for call in self._uncharged.values():
            found = priced(call, self._prices)
            if found.cost is not None:
                self._charged(found)
                self._charged_early.add(call.id)
        self._uncharged.clear()

    def _charged_once(self, call: Call) -> None:
        self._uncharged.pop(call.id, None)
        if call.id in self._charged_early:
            self._charged_early.discard(call.id)
        else:
            self._charged(call)

    def _charged(self, call: Call) -> None:
        try:
            if self._charge is not None:
                self._charge(call)
        except Exception:  # noqa: BLE001 - a budget must not cost a call
            swallowed("charging a call to a budget")
