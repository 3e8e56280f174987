"""The pytest plug-in, in runs of their own."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CALLING = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from tests.calls import ask
"""


def outcome(pytester: pytest.Pytester, program: str, *options: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    pytester.makepyfile(program)
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    return int(done.ret), done.stdout.str()


def test_the_fixture_has_the_calls_of_its_test(pytester: pytest.Pytester) -> None:
    code, said = outcome(
        pytester,
        CALLING
        + """
import pytest
def test_one(miharu_calls):
    ask()
    assert len(miharu_calls) == 1
    ask()
    assert [call.model for call in miharu_calls] == ["gpt-4o-2024-08-06"] * 2
def test_two(miharu_calls):
    assert len(miharu_calls) == 0
@pytest.mark.anyio
async def test_three(miharu_calls, anyio_backend):
    ask()
    assert len(miharu_calls) == 1
def test_four():
    ask()
""",
    )
    assert code == 0, said
    # Where one test asks for its calls, those of the others are in the sum as well.
    assert "miharu: 5 calls, 75 tokens, $0.00038\n" in said


def test_only_the_contract_of_a_store_is_rewritten(pytester: pytest.Pytester) -> None:
    code, said = outcome(
        pytester,
        CALLING
        + """
import miharu.recorder.pipeline
import miharu.testing.store_contract
def test_one():
    ask()
    loaders = {
        name: type(module.__spec__.loader).__name__
        for name, module in sys.modules.items()
        if name.startswith("miharu.")
    }
    assert loaders.pop("miharu.testing.store_contract") == "AssertionRewritingHook"
    of_the_recorder = {loader for name, loader in loaders.items() if name.startswith("miharu.recorder.")}
    assert of_the_recorder == {"SourceFileLoader"}
""",
    )
    assert code == 0, said


def test_a_run_without_a_call_says_nothing_and_patches_nothing(pytester: pytest.Pytester) -> None:
    code, said = outcome(
        pytester,
        """
import sys
def test_one():
    import httpx2
    assert httpx2.Client._send_single_request.__code__.co_filename.endswith("_client.py")
    loaded = {name for name in sys.modules if name.startswith("miharu")}
    ours = ("_version", "_pytest", "_guard", "attribution", "attribution.captures")
    ours += ("redaction", "redaction.logs")  # the filter alone
    assert loaded <= {"miharu", *(f"miharu.{name}" for name in ours)}
    heavy = {"sqlalchemy", "litestar", "jinja2", "genai_prices", "anyio.from_thread"}
    assert not heavy & set(sys.modules)
""",
        *("-p", "no:anyio"),
    )
    assert code == 0, said
    assert "miharu:" not in said


def test_the_calls_of_init_are_summed_up(pytester: pytest.Pytester) -> None:
    code, said = outcome(pytester, CALLING + "import miharu\ndef test_one():\n    miharu.init()\n    ask()\n")
    assert code == 0
    assert "miharu: 1 call, 15 tokens, $0.000075 (while it was watched; --miharu-budget=USD watches" in said


@pytest.mark.parametrize(
    ("budget", "code", "words"),
    [("0.01", 0, "$0.00015"), ("0.0001", 1, "over the budget of $0.0001"), ("0", 1, "over the budget")],
)
def test_a_budget_fails_the_run_that_spends_more(
    pytester: pytest.Pytester, budget: str, code: int, words: str
) -> None:
    program = CALLING + "def test_one():\n    ask()\ndef test_two():\n    ask()\n"
    found, said = outcome(pytester, program, f"--miharu-budget={budget}")
    assert (found, "2 passed" in said, words in said) == (code, True, True), said


def test_a_budget_changes_no_worse_outcome(pytester: pytest.Pytester) -> None:
    program = CALLING + "def test_one():\n    ask()\n    assert False\n"
    assert outcome(pytester, program, "--miharu-budget=5")[0] == 1
    assert outcome(pytester, program, "--miharu-budget=0", "-k", "nothing")[0] == 5


@pytest.mark.parametrize("budget", ["much", "-1", "-0.01", "nan", "inf", ""])
def test_a_nonsense_budget_is_refused(pytester: pytest.Pytester, budget: str) -> None:
    pytester.makepyfile("def test_one(): ...")
    done = pytester.runpytest_subprocess(f"--miharu-budget={budget}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "--miharu-budget" in done.stderr.str()


def test_a_call_without_a_price_is_said(pytester: pytest.Pytester) -> None:
    program = CALLING.replace("from tests.calls import ask", "from tests import calls") + (
        "def test_one(miharu_calls):\n"
        "    calls.ASKED['model'] = calls.ANSWER['model'] = 'nobody-knows-it'\n"
        "    calls.ask()\n"
    )
    assert "1 of them without a price" in outcome(pytester, program)[1]


def test_workers_of_xdist_are_summed_up(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    program = CALLING + "".join(f"def test_{number}():\n    ask()\n" for number in range(6))
    code, said = outcome(pytester, program, "-n", "2", "--miharu-budget=0.0001")
    assert code == 1
    assert "miharu: 6 calls, 90 tokens, $0.00045: over the budget of $0.0001" in said
