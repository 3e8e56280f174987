"""The thread that sends: asleep until there is something to send, or until it may be tried again."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from miharu._guard import swallowed
from miharu.exporters.otlp.environment import SignalName
from miharu.exporters.otlp.lane import Lane

__all__ = ("Worker",)

HERE_S = 2.0
"""How long the end of a program may wait for a receiver where there is no thread to do it."""


class Worker:
    """Sends what the lanes hold. It starts with the first record."""

    def __init__(
        self,
        lanes: Mapping[SignalName, Lane],
        *,
        delay: float,
        metrics_interval: float,
        metrics_changed: Callable[[], bool],
    ) -> None:
        """Prepare.

        Args:
            lanes: By signal.
            delay: Seconds that a record waits for others.
            metrics_interval: Seconds between two requests with metrics.
            metrics_changed: Whether there are metrics that were not sent yet.
        """
        self._lanes = lanes
        self._delay = delay
        self._metrics_interval = metrics_interval
        self._metrics_changed = metrics_changed
        self._changed = threading.Condition()
        self._flushes: list[Future[None]] = []
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._send_at: float | None = None
        """When what waits is sent, whether it has company or not; ``None`` where nothing waits."""
        self._measure_at: float | None = None

    @property
    def lost(self) -> int:
        return sum(lane.lost for lane in self._lanes.values())

    def put(self, signal: SignalName, record: object, size: int) -> None:
        """Leave a record, without waiting."""
        lane = self._lanes.get(signal)
        if lane is None:
            return
        with self._changed:
            lane.put(record, size)
            if self._send_at is None:
                self._send_at = time.monotonic() + self._delay
                self._changed.notify()
            elif lane.is_due and not lane.retry_at:
                self._changed.notify()
            self._start()

    def has_room(self, size: int) -> bool:
        """Whether content of so many bytes may wait as well."""
        lane = self._lanes.get("traces")
        return lane is not None and lane.has_room(size)

    def measured(self) -> None:
        """Say that metrics have changed."""
        if "metrics" not in self._lanes:
            return
        with self._changed:
            if self._measure_at is None:
                self._measure_at = time.monotonic() + self._metrics_interval
                self._changed.notify()
            self._start()

    def flush(self) -> "Future[None]":
        """Send now; done when everything is delivered, or has failed once more."""
        done: Future[None] = Future()
        with self._changed:
            if self._thread is not None and self._thread.is_alive():
                self._flushes.append(done)
                self._changed.notify()
                return done
        if not self._stopping and any(lane.waiting for lane in self._lanes.values()):
            self._send_here()
        done.set_result(None)
        return done

    def _send_here(self) -> None:
        """Send on the calling thread, at the end of a program in which none can be started any more."""
        until = time.monotonic() + HERE_S
        for lane in self._lanes.values():
            lane.hurry(HERE_S)
        self._turn(hurried=True, until=until)
        for lane in self._lanes.values():
            lane.close()

    def stop(self) -> int:
        """End the thread, without waiting for a request on its way; how many records are lost with it."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            return sum(lane.give_up() for lane in self._lanes.values())

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._work, name="miharu-otlp", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the program is ending; what waits is counted as lost
                self._thread = None

    def _work(self) -> None:
        try:
            while self._works():
                pass
        finally:
            for lane in self._lanes.values():
                lane.close()

    def _works(self) -> bool:
        """One turn, when it is time; whether there may be another."""
        with self._changed:
            while not self._stopping and not self._flushes and (pause := self._pause()) != 0:
                self._changed.wait(pause)
            flushes, self._flushes = self._flushes, []
        try:
            if not self._stopping:
                self._turn(hurried=bool(flushes))
        except Exception:  # noqa: BLE001 - no record may end the thread
            swallowed("sending OpenTelemetry data")
        finally:
            for flush in flushes:
                flush.set_result(None)
        return not self._stopping

    def _pause(self) -> float | None:
        """Seconds until there is something to do; ``None`` for as long as nothing comes."""
        now = time.monotonic()
        moments = [self._measure_at] if self._measure_at is not None else []
        for lane in self._lanes.values():
            if lane.is_off or not lane.waiting:
                continue
            if lane.retry_at > now:
                moments.append(lane.retry_at)
            elif lane.is_due:
                return 0
            elif self._send_at is not None:
                moments.append(self._send_at)
        return None if not moments else max(0.0, min(moments) - now)

    def _turn(self, *, hurried: bool, until: float = float("inf")) -> None:
        now = time.monotonic()
        with self._changed:
            self._send_at = None
            if self._measure_at is not None and (hurried or now >= self._measure_at):
                self._measure_at = None
                self._send_metrics()
        for lane in self._lanes.values():
            if time.monotonic() < until and (lane.retry_at <= now or (hurried and not lane.throttled)):
                lane.send(time.monotonic())

    def _send_metrics(self) -> None:
        """Have a request made of the metrics as they stand then, unless one is to be made anyway."""
        lane = self._lanes["metrics"]
        if self._metrics_changed() and lane.is_empty:
            lane.put("metrics", 0)
