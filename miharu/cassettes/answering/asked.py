"""Which requests are calls of a model, and the replay that answers them."""

from collections.abc import Mapping
from functools import cache

from miharu.cassettes.question import Question, normal, path_of
from miharu.cassettes.recorded import Recorded
from miharu.cassettes.replay import Replay
from miharu.interceptor import handoff
from miharu.interceptor.gate import Gate
from miharu.providers.known_rules import KNOWN_RULES

__all__ = ("answer", "answer_by", "current", "is_call", "refusal")

_current: Replay | None = None


def answer_by(replay: Replay | None) -> None:
    """Say what answers; with ``None`` everything goes out."""
    global _current  # noqa: PLW0603 - one for the process, as the patched classes are
    _current = replay


def current() -> Replay | None:
    """What answers the calls of this process."""
    return _current


@cache
def _known() -> Gate:
    return Gate([rule for rules in KNOWN_RULES.values() for rule in rules])


def is_call(method: str, host: str, path: str) -> bool:
    """Whether this is a call of a model, which never goes out unanswered."""
    if _current is None or handoff.is_unseen():
        return False
    watching = handoff.target()
    own = watching is not None and watching.gate.passes(method, host, path)  # formats of the program's own
    return own or _known().passes(method, host, path)


def answer(
    method: str, host: str, path: str, *, query: str, headers: Mapping[str, str], body: bytes | None
) -> Recorded | None:
    """What comes back; ``None`` where the request is to go out.

    Args:
        method: In capital letters.
        host: With its port or without.
        path: Without the query, its escapes undone.
        query: Without its question mark.
        headers: Names in lower case.
        body: ``None`` where it is not known beforehand.
    """
    replay = _current
    if replay is None:
        return None
    kept = path_of(path, headers, query)
    question = Question(method=method, host=host, path=kept, body=normal(body, headers, query))
    return replay.answer(question)


def refusal(host: str, path: str) -> str | None:
    """Why a session over a WebSocket is refused; ``None`` where it is not one with a model."""
    if _current is None or _current.passes_on or _known().turns(host, path) is None:
        return None
    return _current.refuse(f"wss://{host}{path}")
