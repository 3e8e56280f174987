"""The pytest plug-in: the calls of a test, a budget for a run, and one line at its end.

It is loaded with every run of pytest where miharu is installed, so it costs next to nothing until a call is
made: nothing is patched and nothing printed without one.
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.monitor.calls import Calls

__all__ = ("miharu_calls",)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _leave_as_it_is(pluginmanager)
    parser.getgroup("miharu", "LLM calls").addoption(
        "--miharu-budget",
        type=_dollars,
        metavar="USD",
        help="watch every LLM call, and fail the run if together they cost more, such as 0.50",
    )


def _leave_as_it_is(pluginmanager: pytest.PytestPluginManager) -> None:
    """Keep pytest from rewriting assertions in miharu, where only the contract of a store has any.

    It would parse modules on the recorder's thread as well, and Python up to 3.12 fails now and then to parse
    in two threads at once (https://github.com/python/cpython/issues/106905).
    """
    hook = pluginmanager.rewrite_hook
    marked = getattr(hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("miharu")
        hook.mark_rewrite("miharu.testing.store_contract")


def _dollars(text: str) -> float:
    import argparse
    import math

    try:
        dollars = float(text)
    except ValueError:
        dollars = math.nan
    if not 0 <= dollars < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a sum of dollars: give one such as 0.50, or 0.")
    return dollars


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Run(config.getoption("--miharu-budget")), "miharu-run")


@pytest.fixture
def miharu_calls() -> "Iterator[Calls]":
    """The LLM calls of this test, in the order of their start. Looked at, they are up to date."""
    from miharu.monitor.capture import capture

    with capture() as calls:
        yield calls


class _Run:
    """What one run has called; with pytest-xdist, what its workers have called."""

    def __init__(self, budget: float | None) -> None:
        self.budget = budget
        self.calls = self.tokens = self.cost_nanousd = self.unpriced = 0
        self.watches_all = budget is not None
        """Whether calls are seen from the first test to the last, and not only where a test asks for them."""
        self._capturing: Any = None

    def take(self, started: int, call: "Call") -> None:  # noqa: ARG002 - it takes what it is given
        self.calls += not call.completes
        self.tokens += (call.usage.prompt_tokens or 0) + (call.usage.completion_tokens or 0)
        self.cost_nanousd += call.cost.cost_nanousd if call.cost is not None else 0
        self.unpriced += call.is_unpriced and not call.completes

    @property
    def is_over(self) -> bool:
        return self.budget is not None and self.cost_nanousd > self.budget * 1e9

    def pytest_sessionstart(self) -> None:
        from miharu.attribution import captures

        self._capturing = captures.Capturing(self, everything=True)
        captures.start(self._capturing, time.perf_counter_ns())
        if self.watches_all:
            self._watch()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Where one test asks for its calls, the whole run is watched: its sum has no gaps then."""
        if not self.watches_all and any(
            "miharu_calls" in getattr(item, "fixturenames", ()) for item in session.items
        ):
            self.watches_all = True
            self._watch()

    def _watch(self) -> None:
        from miharu.monitor.capture import watch

        watch.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        import sys

        from miharu.attribution import captures

        if "miharu.monitor" in sys.modules:
            from miharu.monitor.capture import flush, watch

            flush()
            if self.watches_all:
                watch.end()
        captures.end(self._capturing)
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["miharu"] = [self.calls, self.tokens, self.cost_nanousd, self.unpriced, self.watches_all]
        elif self.is_over and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        nothing = (0, 0, 0, 0, False)
        calls, tokens, cost, unpriced, whole = getattr(node, "workeroutput", {}).get("miharu", nothing)
        self.watches_all = self.watches_all or whole
        self.calls += calls
        self.tokens += tokens
        self.cost_nanousd += cost
        self.unpriced += unpriced

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.calls:
            return
        from miharu.wording.numbers import money

        calls = "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        line = f"miharu: {calls}, {self.tokens:,} tokens, {money(self.cost_nanousd)}"
        if self.unpriced:
            line += f", {self.unpriced:,} of them without a price"
        if self.is_over:
            line += f": over the budget of {money(round((self.budget or 0) * 1e9))}"
        elif not self.watches_all:
            line += " (while it was watched; --miharu-budget=USD watches the whole run)"
        terminalreporter.write_line(line, red=self.is_over)
