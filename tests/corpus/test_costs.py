"""Our costs of recorded traffic are those of a calculation that shares no code with ours."""

import pytest

from tests.corpus.agreement import compared
from tests.corpus.offline import CORPUS

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no recorded traffic at {CORPUS.name}")

HIDDEN_THINKING = {"pydantic-ai-b71447e23b", "pydantic-ai-589a1bdeeb"}
"""Gemini's OpenAI-compatible API leaves thinking that it bills out of its count (``disagreements.json``)."""
GUARDED = {"openllmetry-8e5b157631", "openllmetry-562c341319", "openllmetry-459fa87657"}
"""A guardrail was asked for in a header of the request, which the other calculation does not read."""


def test_two_calculations_agree_on_recorded_traffic() -> None:
    found = list(compared())
    different = {id for _, id, _, _, verdict in found if verdict == "different"}
    ours_unknown = {id for _, id, _, _, verdict in found if verdict == "ours unknown"}
    assert different == HIDDEN_THINKING
    assert ours_unknown == GUARDED
    assert sum(verdict == "equal" for *_, verdict in found) >= 680
