"""The pytest plug-in: the calls of a test, its answers from a cassette, a budget for a run, and its sum.

It is loaded with every run of pytest where miharu is installed, so it costs next to nothing until a call is
made: nothing is patched and nothing printed without one.
"""

import re
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.cassettes.replay import Replay
    from miharu.monitor.calls import Calls

__all__ = ("miharu_calls", "miharu_replay")

_UNUSED = ("fail", "warn", "ignore")
_has_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _leave_as_it_is(pluginmanager)
    group = parser.getgroup("miharu", "LLM calls")
    group.addoption(
        "--miharu-record",
        action="store_true",
        help="with miharu_replay, let calls go out that are not in the cassette, and record them",
    )
    group.addoption(
        "--miharu-replay-paced",
        action="store_true",
        help="answer from a cassette in the time that it took, and not at once",
    )
    parser.addini(
        "miharu_replay_unused",
        "what becomes of a test that does not use all of its cassette: fail (default), warn or ignore",
        default="fail",
    )
    parser.addini(
        "miharu_replay_ignore",
        "places in a request's body that are not compared, such as metadata.id or messages.*.id",
        type="args",
        default=[],
    )
    group.addoption(
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
    config.addinivalue_line(
        "markers",
        "miharu_replay(file, *, ignore=(), reuse=False, paced=False, unused='fail'): answer its LLM calls "
        "from that cassette; cassettes/<module>/<test>.json beside it by default",
    )
    config.pluginmanager.register(_Run(config.getoption("--miharu-budget")), "miharu-run")


@pytest.fixture
def miharu_calls() -> "Iterator[Calls]":
    """The LLM calls of this test, in the order of their start. Looked at, they are up to date."""
    from miharu.monitor.capture import capture

    with capture() as calls:
        yield calls


def pytest_itemcollected(item: pytest.Item) -> None:
    """The mark alone is enough: its test has the fixture, before all others."""
    names = getattr(item, "fixturenames", None)
    if isinstance(names, list) and item.get_closest_marker("miharu_replay"):
        names[:] = ["miharu_replay", *(name for name in names if name != "miharu_replay")]


@pytest.fixture
def miharu_replay(request: pytest.FixtureRequest) -> "Iterator[Replay]":
    """The LLM calls of this test are answered from its cassette, and none goes out."""
    from miharu.cassettes.playing import playing
    from miharu.errors import ConfigError

    config = request.config
    path, options = _asked_for(request)
    unused = options.pop("unused", config.getini("miharu_replay_unused"))
    if unused not in _UNUSED:
        pytest.fail(f"miharu_replay: unused={unused!r} is not one of {', '.join(_UNUSED)}.", pytrace=False)
    options["ignore"] = (*options.get("ignore", ()), *config.getini("miharu_replay_ignore"))
    options["paced"] = options.get("paced", False) or config.getoption("--miharu-replay-paced")
    record = config.getoption("--miharu-record")
    remedy = "run the test once with --miharu-record, which lets its calls go out and records them."
    try:
        with playing(path, record=record, missing=remedy, **options) as replay:
            yield replay
    except ConfigError as error:
        pytest.fail(f"miharu_replay: {error}", pytrace=False)
    if replay.missed:
        pytest.fail("miharu_replay: " + "\n".join(replay.missed), pytrace=False)
    if replay.unused and unused != "ignore" and not request.node.stash.get(_has_failed, False):
        numbers = ", ".join(map(str, replay.unused))
        said = f"miharu_replay: of {path.name} nothing was answered with exchange {numbers}."
        if unused == "fail" and not record:
            pytest.fail(f"{said} Record it again, or say unused='warn'.", pytrace=False)
        request.node.warn(pytest.PytestWarning(said))


def _asked_for(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    """The cassette of a test, and the other arguments of its mark."""
    mark = request.node.get_closest_marker("miharu_replay")
    words, options = (mark.args, dict(mark.kwargs)) if mark else ((), {})
    if len(words) > 1 or set(options) - {"ignore", "reuse", "paced", "unused"}:
        pytest.fail("miharu_replay takes one file, and ignore=, reuse=, paced= and unused=.", pytrace=False)
    if isinstance(options.get("ignore"), str):
        options["ignore"] = (options["ignore"],)
    module: Path = request.path
    name = re.sub(r"[^\w.\[\]-]+", "-", request.node.name)[:150]
    return module.parent / (words[0] if words else f"cassettes/{module.stem}/{name}.json"), options


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - the hook's
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_has_failed] = True
    return report


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
