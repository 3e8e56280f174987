"""Two calls, laid beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.analysis.text_changes import Effort
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.call.conversation import Conversation, conversation
from miharu.dashboard.call.media import Finder
from miharu.dashboard.call.rows import error_tag, split_route
from miharu.dashboard.charts.colors import Palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.markdown import Trees
from miharu.dashboard.pair.figures import figures, times
from miharu.dashboard.pair.messages import Row, Telling, beside
from miharu.dashboard.pair.settings import settings
from miharu.dashboard.queries.together import together
from miharu.providers.messages import Message, Part
from miharu.wire.indented import CUT

__all__ = ("Side", "Talk", "laid")

READ_WHOLE = 0.6
"""The share of words from which on marks say less than the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two."""

    letter: str
    call: Call
    css: str
    error: str
    method: str
    route: str
    said: Conversation | None
    open: str
    """Where the call is opened by itself."""
    change: str
    """Where another one is chosen in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The prompts, or the answers, of both."""

    rows: Sequence[Row]
    first_number: int
    """The number of its first difference on the page."""

    @property
    def differences(self) -> int:
        return sum(row.kind != "same" for row in self.rows)

    @property
    def changed(self) -> float:
        """The share of the words that differ, of the row in which most do."""
        return max((row.changed for row in self.rows), default=0.0)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """How many messages are changed, only in the second, only in the first, the same."""
        alone = [row for row in self.rows if row.kind == "only"]
        return (
            sum(row.kind == "changed" for row in self.rows),
            sum(row.first is None for row in alone),
            sum(row.second is None for row in alone),
            sum(len(row.same) for row in self.rows),
        )


async def laid(first: Call, second: Call, view: View, site: Site, colors: Palette) -> Mapping[str, Any]:
    """Everything that the page shows of them."""
    async with together() as ask:
        scores = [ask(site.store.scores, call_id=call.id) for call in (first, second)]
    talks = (conversation(first, site.formats), conversation(second, site.formats))
    effort = Effort()
    tell = (Telling(Finder(first)), Telling(Finder(second)))
    kept = None not in talks
    asked = beside(_of(talks[0], "asked"), _of(talks[1], "asked"), tell, effort) if kept else []
    answers = [
        [*_of(talk, "answered"), *_error(call)] for talk, call in zip(talks, (first, second), strict=True)
    ]
    answered = beside(answers[0], answers[1], tell, effort) if kept else []
    prompt = Talk(rows=asked, first_number=1)
    answer = Talk(rows=answered, first_number=1 + prompt.differences)
    return {
        "sides": [
            _side("A", first, talks[0], view, colors, change=view.link("pair", a=None)),
            _side("B", second, talks[1], view, colors, change=view.link("pair", b=None)),
        ],
        "relation": _relation(first, second, prompt if kept else None),
        "figures": figures(first, second, (scores[0].value, scores[1].value)),
        "times": times(first, second),
        "settings": settings(first, second, talks),
        "prompt": prompt,
        "answer": answer,
        "differences": prompt.differences + answer.differences,
        "read_whole": answer.changed > READ_WHOLE,
        "shortened": kept and any(talk is not None and _is_shortened(talk) for talk in talks),
        "roughly": effort.used_up,
        "without": [letter for letter, talk in zip("AB", talks, strict=True) if talk is None],
        "was_kept": [call.body is not None for call in (first, second)],
        "finders": [Finder(first), Finder(second)],
        "trees": Trees(),
        "swapped": view.link("pair", a=second.id, b=first.id),
    }


def _side(
    letter: str, call: Call, said: Conversation | None, view: View, colors: Palette, *, change: str
) -> Side:
    method, route = split_route(call.route)
    return Side(
        letter=letter,
        call=call,
        css=colors.model(call.model, call.provider),
        error=error_tag(call.outcome),
        method=method,
        route=route,
        said=said,
        open=view.link("calls", sel=call.id),
        change=change,
    )


def _of(said: Conversation | None, part: str) -> Sequence[Message]:
    return getattr(said, part) if said is not None else ()


def _error(call: Call) -> list[Message]:
    """What the provider said instead of an answer."""
    outcome = call.outcome
    if outcome.status != "error":
        return []
    text = f"{outcome.error_type or 'error'}\n{outcome.error_message or ''}".strip()
    return [Message("error", (Part(kind="text", text=text),))]


def _is_shortened(said: Conversation) -> bool:
    parts = (part for one in (*said.asked, *said.answered) for part in one.parts)
    return bool(said.cut or said.left_out or said.more_answers) or any(
        CUT.search(part.text[-60:]) for part in parts
    )


def _relation(first: Call, second: Call, prompt: Talk | None) -> str:
    if first.id == second.id:
        return "the same call twice"
    if first.call_group is not None and first.call_group == second.call_group:
        return f"attempts {first.attempt or 1} and {second.attempt or 1} of one logical call"
    if second.duplicate_of == first.id or first.duplicate_of == second.id:
        return "the same request, byte for byte"
    if prompt is not None and not prompt.differences and prompt.rows:
        return "the same prompt" if first.model == second.model else "the same prompt, asked of another model"
    return ""
