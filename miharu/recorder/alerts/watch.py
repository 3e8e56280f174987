"""All alerts, looked at now and then by the recorder's worker: never per call, never on the host's loop."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from miharu._alert import Alert, AlertChange, rule_of
from miharu._guard import say_once, swallowed
from miharu.batch import Marker
from miharu.errors import StoreError
from miharu.recorder.alerts.readings import Reading, read
from miharu.recorder.alerts.turns import Turn, marker_of, turns_in
from miharu.recorder.budgets.ledger import Ask
from miharu.stores.base import Questions

__all__ = ("AlertState", "Tells", "Watch")

EVERY_S = 30.0
"""Between two looks, at least."""
AGAIN_S = 1.0
"""Between leaving the marker of a change and asking whether it is this process that tells of it."""
SHARE = 0.02
"""The share of its time that the worker spends looking, at most."""
JUMP_S = 60.0
"""A clock that moves so much more or less than time passes has been set, or the machine was asleep."""
CLAIM_S = 300.0
"""After so long a marker that was left is taken to be lost, and left again."""

Turns = Mapping[str, Mapping[int, Turn]]


class Tells(Protocol):
    """Tells people of changes."""

    def tell(self, alert: Alert, change: AlertChange) -> None: ...
    def after_fork(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AlertState:
    """How an alert stands, as far as this process knows."""

    alert: Alert
    is_firing: bool
    since: int | None
    """Unix milliseconds; ``None`` where it has never fired."""
    text: str
    """What was measured last; empty where nothing was yet."""


@dataclass(frozen=True, slots=True)
class _Claim:
    number: int
    change: AlertChange
    until: float


@dataclass(frozen=True, slots=True)
class _Answer:
    revision: int
    turns: Turns
    readings: Sequence[Reading | None] | None
    """``None`` where only the turns were asked for."""


class Watch:
    """All alerts. Other threads use only ``states``."""

    def __init__(
        self,
        alerts: Sequence[Alert],
        leave: Callable[[Marker], object],
        tells: Tells | None = None,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is known before the first ``refresh``.

        Args:
            alerts: What is to be told of.
            leave: Takes markers, to be stored soon.
            tells: Tells people; nobody by default.
            clock: Unix milliseconds.
            timer: Seconds.
        """
        self._rules = [(alert, rule_of(alert.when)) for alert in alerts]
        self._alerts = [alert for alert, _ in self._rules]
        self._leave = leave
        self._tells = tells
        self._clock, self._timer = clock, timer
        self.states: Sequence[AlertState] = tuple(AlertState(one, False, None, "") for one in alerts)  # noqa: FBT003
        self._begin()

    def _begin(self) -> None:
        self._by = os.urandom(8).hex()
        self._claims: dict[str, _Claim] = {}
        self._due = self._claims_due = self._timer()
        self._revision: int | None = None
        self._is_moving = True
        """Whether a state may change although nothing is written: calls leave the time that is looked at."""
        self._last = (self._clock(), self._timer())
        self._held: dict[str, float] = {}
        """Until when an alert is not judged, because the clock was set."""

    def due(self) -> float | None:
        """Seconds until it is time to look; ``None`` where there are no alerts."""
        if not self._alerts:
            return None
        due = min(self._due, self._claims_due) if self._claims else self._due
        return max(0.0, due - self._timer())

    def refresh(self, ask: Ask, *, at_once: bool = False) -> None:
        """Look, if it is time. A store that fails leaves everything as it was.

        Args:
            ask: Puts a question to it, and waits for the answer; all of this process's own is stored.
            at_once: Do not wait until it is time.
        """
        began = self._timer()
        whole = at_once or began >= self._due
        if not self._alerts or not (whole or (self._claims and began >= self._claims_due)):
            return
        try:
            now = self._clock()
            self._see_jump(now, began)
            answer = ask(lambda store: self._look(store, now, whole=whole))
            if answer is not None:
                self._judge(answer, now)
        except StoreError:
            pass  # the recorder says what is wrong
        except Exception:  # noqa: BLE001 - an alert must not stop the recording
            swallowed("looking at the alerts")
        ended = self._timer()
        if whole:
            self._due = ended + max(EVERY_S, (ended - began) / SHARE)
        self._claims_due = ended + AGAIN_S

    def after_fork(self) -> None:
        """Go on in a child: what the parent is about to tell is the parent's."""
        self._begin()
        if self._tells is not None:
            self._tells.after_fork()

    def close(self) -> None:
        """Wait for the posts that are on their way."""
        if self._tells is not None:
            self._tells.close()

    def _see_jump(self, now: int, began: float) -> None:
        """After the clock was set nothing is judged until the time that is looked at has passed once."""
        wall, passed = (now - self._last[0]) / 1000, began - self._last[1]
        self._last = (now, began)
        self._held = {key: until for key, until in self._held.items() if until > began}
        if abs(wall - passed) > JUMP_S:
            self._held = {alert.key: began + alert.over_ms / 1000 for alert in self._alerts}

    async def _look(self, store: Questions, now: int, *, whole: bool) -> _Answer | None:
        revision = await store.revision()
        if not self._claims and revision == self._revision and not self._is_moving:
            return None
        turns = await turns_in(store, self._alerts)
        if not whole:
            return _Answer(revision, turns, None)
        return _Answer(revision, turns, [await self._read(alert, store, now) for alert in self._alerts])

    async def _read(self, alert: Alert, store: Questions, now: int) -> Reading | None:
        rule = next(rule for one, rule in self._rules if one is alert)
        try:
            return await read(alert, rule, store, now)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - one alert that cannot be measured takes no other with it
            say_once("the alert %r cannot be measured; the others go on.", alert.name)
            swallowed(f"measuring the alert {alert.name!r}")
            return None

    def _judge(self, answer: _Answer, now: int) -> None:
        readings = answer.readings or [None] * len(self._alerts)
        moving, states = False, []
        for alert, reading, before in zip(self._alerts, readings, self.states, strict=True):
            turns = answer.turns.get(alert.key, {})
            last = turns[max(turns)] if turns else None
            self._settle(alert, turns)
            is_firing = last is not None and last.is_firing
            if reading is not None:
                wants = reading.is_met if is_firing else reading.begins
                moving |= bool(reading.number) or wants is not is_firing or alert.key in self._held
                if wants is not is_firing:
                    self._claim(alert, reading, now, number=last.number + 1 if last else 1, firing=wants)
            text = reading.text if reading is not None else before.text
            states.append(AlertState(alert, is_firing, last.at if last else None, text))
        self.states = tuple(states)
        if answer.readings is not None:
            self._revision, self._is_moving = answer.revision, moving

    def _claim(self, alert: Alert, reading: Reading, now: int, *, number: int, firing: bool) -> None:
        """Leave the marker of a change, unless that was done."""
        if alert.key in self._held or alert.key in self._claims:
            return
        state: Literal["firing", "resolved"] = "firing" if firing else "resolved"
        change = AlertChange(
            alert.name, state, alert.when, alert.over, now, reading.text, reading.value, reading.number
        )
        self._claims[alert.key] = _Claim(number, change, self._timer() + CLAIM_S)
        self._leave(marker_of(alert, change, number, self._by))

    def _settle(self, alert: Alert, turns: Mapping[int, Turn]) -> None:
        """Tell of a change whose marker was kept, if it is the one of this process."""
        claim = self._claims.get(alert.key)
        if claim is None:
            return
        turn = turns.get(claim.number)
        if turn is None and self._timer() < claim.until and max(turns, default=0) < claim.number:
            return  # it is not stored yet
        del self._claims[alert.key]
        if turn is not None and turn.by == self._by and self._tells is not None:
            self._tells.tell(alert, claim.change)
