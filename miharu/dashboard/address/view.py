"""The address as state: what a URL asks for, the calls that it means, and the links to its neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from miharu.batch import Marker
from miharu.call import Status
from miharu.conditions.counts import of_calls
from miharu.conditions.fields import ERRORS, field_of
from miharu.conditions.language import Condition, Conditions, is_storable
from miharu.conditions.writing import write
from miharu.dashboard.address.filters import FILTERS, Chip, asked_text, chip_of, read_filters, written
from miharu.dashboard.address.ranges import DAY, RANGES, Range, read_instant, write_instant
from miharu.dashboard.address.windows import Window
from miharu.dashboard.address.zones import UTC, Zone
from miharu.stores.base import Query
from miharu.stores.narrowing import narrowed
from miharu.stores.words import ROLES, Role

__all__ = (
    "AGAINST",
    "BREAKDOWNS",
    "FILTERS",
    "MEASURES",
    "NAMES",
    "Against",
    "Breakdown",
    "Measure",
    "Show",
    "Timed",
    "View",
    "is_storable",
)

Measure = Literal["cost", "tokens", "requests"]
Breakdown = Literal["model", "provider", "route", "user", "service"]
Timed = Literal["whole", "first"]
Failed = Literal["count", "rate"]
Tab = Literal["pretty", "text", "request", "response"]
Show = Literal["main", "all", "months"]
Laid = Literal["beside", "below"]
Against = Literal["previous", "day", "week", "month"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)
AGAINST: Mapping[Against, tuple[str, int]] = {
    "previous": ("the time before", 0),
    "day": ("a day earlier", DAY),
    "week": ("a week earlier", 7 * DAY),
    "month": ("30 days earlier", 30 * DAY),
}
_DEFAULT = RANGES["24h"]
SINCE = "since"
"""The range from a marker up to now."""
_OWN: Mapping[str, tuple[str, ...]] = {
    "": ("measure", "by", "timed", "failed", "score", "page"),
    "live": ("sel", "tab"),
    "calls": ("said", "sort", "before", "sel", "tab"),
    "routes": ("sort", "timed", "score", "page"),
    "models": ("sort", "timed", "score", "page"),
    "users": ("show", "sort", "match", "page", "measure", "score"),
    "tags": ("name", "show", "sort", "match", "page", "measure", "score"),
    "tools": ("sort",),
    "prompts": ("sort", "score", "page", "sel"),
    "sessions": ("before", "part_start", "part_end", "fold", "unfold", "focus", "page", "sel", "tab"),
    "errors": ("failed",),
    "alerts": (),
    "compare": ("by", "against", "score", "other_start", "other_end"),
    "pair": ("a", "b", "show", "lay"),
}
"""What each page has in its address beside range and filters."""
_EVERYTHING = tuple(dict.fromkeys(name for names in _OWN.values() for name in names))
_INSTANTS = frozenset({"start", "end", "other_start", "other_end", "part_start", "part_end"})
_FORMER = {"from": "start", "to": "end", "cfrom": "other_start", "cto": "other_end"}
"""Former names of parameters, which old links have."""
NAMES = {*FILTERS, *_EVERYTHING, *_INSTANTS, *_FORMER, "range", "mark", "q", "of", "id", "at"}
"""The parameters of an address; others are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a URL asks for. What it does not understand it leaves out."""

    range: Range = _DEFAULT
    mark: str | None = None
    """Since a marker, by its name or its id, in place of the range."""
    start: int | None = None
    """Zoomed in: from this moment (Unix milliseconds), in place of the range."""
    end: int | None = None
    model: str | None = None
    provider: str | None = None
    route: str | None = None
    user: str | None = None
    service: str | None = None
    session: str | None = None
    trace: str | None = None
    error: str | None = None
    attempts: str | None = None
    prompt: str | None = None
    version: str | None = None
    """Of a prompt."""
    tag: str | None = None
    """A name and its value, as ``team=search``."""
    status: Status | None = None
    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()
    """In what was said."""
    said: Role | None = None
    """Whose words they are."""
    """What holds besides: several values, what is left out, thresholds. In the address it is ``q``."""
    measure: Measure = "cost"
    by: Breakdown = "model"
    timed: Timed = "whole"
    failed: Failed = "count"
    sort: str | None = None
    """A column, with a minus before it where the largest comes first."""
    against: Against = "previous"
    other_start: int | None = None
    """The other period of a comparison, where it is none of the usual ones."""
    other_end: int | None = None
    name: str | None = None
    """The tag whose values are listed."""
    score: str | None = None
    """The name of the scores that are shown, where there are several."""
    match: str | None = None
    """Only values with this text in them."""
    show: Show = "main"
    """What of a page: all of a comparison, not the differences alone; months, not the range."""
    before: str | None = None
    page: int = 1
    """The page of a table with many rows."""
    sel: str | None = None
    tab: Tab = "pretty"
    a: str | None = None
    """The call that is laid on the left."""
    b: str | None = None
    """The call that is laid on the right."""
    lay: Laid = "beside"
    fold: str | None = None
    """The rows of a tree that are folded, by their ids with commas between; ``all`` for all of them."""
    unfold: str | None = None
    """Those that are open, in the same way."""
    focus: str | None = None
    """The span with which a tree starts."""
    part_start: int | None = None
    """Of a session or a trace, only what ran from this moment (Unix milliseconds)."""
    part_end: int | None = None
    zone: Zone = UTC
    """Not in the address: whose days and months are meant."""
    marked: Marker | None = None
    """Not in the address: the marker that is meant, once it was looked up."""
    lists_groups: bool = False
    """Not in the address: ``errors>5`` is about those that the page lists, and not about single calls."""
    since: int | None = None
    """Not in the address: from when on calls are looked through, where no sums are kept by a filter."""

    @classmethod
    def read(
        cls, params: Mapping[str, str], zone: Zone = UTC, several: Mapping[str, Sequence[str]] | None = None
    ) -> "View":
        """The view of an address.

        Args:
            params: Its parameters; of those that are there several times, the last.
            zone: Whose days are meant.
            several: The values of those that are there several times.

        Raises:
            ConditionError: ``q`` is not understood: what is asked is not known, so nothing is answered.
        """
        given = {
            _FORMER.get(name, name): value
            for name, value in params.items()
            if value and _is_readable(name, value)
        }
        alone, more = read_filters(given, several or {})
        status = alone.get("status")
        start, end = _pair(given, "start", "end")
        other_start, other_end = _pair(given, "other_start", "other_end")
        part_start, part_end = _pair(given, "part_start", "part_end")
        return cls(
            range=RANGES.get(given.get("range", ""), _DEFAULT),
            mark=given.get("mark") if given.get("range") == SINCE else None,
            start=start,
            end=end,
            zone=zone,
            other_start=other_start,
            other_end=other_end,
            part_start=part_start,
            part_end=part_end,
            status=cast("Status", status) if status in get_args(Status) else None,
            measure=_one_of(given.get("measure"), MEASURES),
            by=_one_of(given.get("by"), BREAKDOWNS),
            timed=_one_of(given.get("timed"), get_args(Timed)),
            failed=_one_of(given.get("failed"), get_args(Failed)),
            against=_one_of(given.get("against"), get_args(Against)),
            tab=_one_of(given.get("tab"), get_args(Tab)),
            show=_one_of(given.get("show"), get_args(Show)),
            lay=_one_of(given.get("lay"), get_args(Laid)),
            page=_number(given.get("page", "")),
            tag=alone["tag"] if alone.get("tag", "").find("=") > 0 else None,
            conditions=more.conditions,
            words=more.words,
            said=given["said"] if given.get("said") in ROLES else None,  # type: ignore[arg-type] # one of them
            **{name: alone.get(name) for name in _TEXTS},  # type: ignore[arg-type] # texts all
            **{name: given.get(name) for name in _OTHER_TEXTS},  # type: ignore[arg-type] # texts all
        )

    @property
    def filters(self) -> dict[str, str]:
        """Those that have one value."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    @property
    def is_filtered(self) -> bool:
        return bool(self.filters or self.conditions or self.words)

    @property
    def q(self) -> str | None:
        """The conditions as the address has them."""
        return written(self._more)

    @property
    def asked(self) -> str:
        """All filters as one text."""
        return asked_text(self.filters, self._more)

    @property
    def _more(self) -> Conditions:
        return Conditions(self.conditions, self.words)

    @property
    def fields_asked(self) -> set[str]:
        """The names of all that is filtered by."""
        found = (field_of(condition.field) for condition in self.conditions)
        names = (field.name for field in found if field is not None)
        return {*self.filters, *("status" if name == ERRORS.name else name for name in names)}

    @property
    def chips(self) -> Sequence[Chip]:
        """Each filter in a few words, and how it is taken away."""
        alone = [
            Chip(name, "", value, is_not=False, without={name: None}) for name, value in self.filters.items()
        ]
        return alone + [
            chip_of(one, {"conditions": tuple(other for other in self.conditions if other != one)})
            for one in self.conditions
        ]

    def without_word(self, word: str) -> dict[str, Any]:
        """The changes that take that word away."""
        return {"words": tuple(other for other in self.words if other != word)}

    @property
    def cleared(self) -> dict[str, Any]:
        """The changes that take all filters away."""
        return {**dict.fromkeys(FILTERS), "conditions": (), "words": (), "said": None}

    def only(self, name: str, value: str) -> "View":
        """The same range, with that one filter."""
        return replace(self, **{**self.cleared, name: value})

    @property
    def is_zoomed(self) -> bool:
        return self.start is not None

    def window(self, now: int) -> Window:
        """The window of time, in whole minutes, the running one included."""
        if (self.start is None or self.end is None) and self.marked is not None:
            return Window.between(self.marked.timestamp, max(now, self.marked.timestamp) + 1, self.zone)
        if self.start is None or self.end is None:
            return Window.of_range(self.range, now, self.zone)
        return Window.between(self.start, self.end, self.zone)

    def query(self, now: int) -> Query:
        """The calls of the window that the filters let through."""
        window = self.window(now)
        return self.during(window.start, window.end)

    def during(self, start: int, end: int) -> Query:
        """The same calls at another time."""
        fields: dict[str, Any] = {field: getattr(self, name) for name, field in FILTERS.items()}
        if self.tag is not None:
            name, _, value = self.tag.partition("=")
            fields["tag"] = (name, value)
        if self.since is not None:
            start = min(end, max(start, self.since))
        query = Query(
            start=start,
            end=end,
            conditions=tuple(one for one in self.conditions if one.field != ERRORS.column),
            words=self.words,
            said_by=self.said,
            **fields,
        )
        single = () if self.lists_groups else of_calls(self._errors)
        return narrowed(query, Conditions(single)) if single else query

    @property
    def group_errors(self) -> tuple[Condition, ...]:
        """How many errors those have that the page lists."""
        return self._errors if self.lists_groups else ()

    @property
    def errors_asked(self) -> str:
        """The same as it is typed."""
        return write(Conditions(self.group_errors))

    @property
    def _errors(self) -> tuple[Condition, ...]:
        return tuple(one for one in self.conditions if one.field == ERRORS.column)

    def previous(self, now: int) -> Query:
        """The same calls in the period before, which is as long."""
        return self.during(*self.window(now).earlier)

    def is_open_ended(self, now: int) -> bool:
        """Whether new calls can still come into the window."""
        return self.end is None or self.end > now

    @property
    def ranged(self) -> dict[str, Any]:
        """What says its range in an address, and in a form."""
        if self.mark is not None:
            return {"range": SINCE, "mark": self.mark}
        return {} if self.range is _DEFAULT else {"range": self.range.name}

    def link(self, path: str, **changes: Any) -> str:
        """The relative URL of this state on that page, with changes; ``None`` takes a part away."""
        view = replace(self, **changes)
        parts = view.ranged
        for name in ("start", "end", *FILTERS, *_OWN.get(_page_of(path), _EVERYTHING)):
            value = getattr(view, name)
            if value is not None and value != getattr(_PLAIN, name):
                parts[name] = write_instant(value) if name in _INSTANTS else value
        if view.q is not None:
            parts["q"] = view.q
        return (path or "./") + (f"?{urlencode(parts, errors='replace', safe='/:=')}" if parts else "")

    def to(self, path: str, **changes: Any) -> str:
        """The link to another page: range and filters come along, what was opened or turned to does not."""
        return self.link(path, **{**_TURNED, **changes})

    def fields(self, path: str) -> dict[str, str]:
        """What a form on that page keeps in hidden fields: all but range and filters of one value."""
        own = (name for name in _OWN.get(path, ()) if name not in _TURNED or name in _IN_FORMS)
        return ({} if self.q is None else {"q": self.q}) | {
            name: write_instant(value) if name in _INSTANTS else value
            for name in own
            if (value := getattr(self, name)) is not None and value != getattr(_PLAIN, name)
        }


_TURNED: Mapping[str, Any] = {
    **dict.fromkeys(("sort", "match", "before", "sel", "fold", "unfold", "focus", "a", "b")),
    **dict.fromkeys(("part_start", "part_end")),
    "page": 1,
    "tab": "pretty",
    "show": "main",
}
"""What was opened or turned to, as it is at first."""
_IN_FORMS = frozenset({"sort", "match", "show"})
"""Of these, what a form keeps."""
_TEXTS = tuple(name for name in FILTERS if name not in {"tag", "status"})
_OTHER_TEXTS = ("sort", "before", "sel", "name", "score", "match", "a", "b", "fold", "unfold", "focus")
_LONGEST_ROWS = 2000
"""Characters of the rows that an address names: as many ids of calls as it names at most, and then some."""
_PLAIN = View()


def _page_of(path: str) -> str:
    """The page that a fragment such as ``overview-now`` is a part of."""
    page = path.partition("-")[0]
    return "" if page in {"overview", "./"} else page


def _pair(given: Mapping[str, str], first: str, last: str) -> tuple[int | None, int | None]:
    """Two moments in order, to the minute; ``None`` for both where one is missing or not valid."""
    start, end = read_instant(given.get(first, "")), read_instant(given.get(last, ""))
    return (start, end) if start is not None and end is not None and start < end else (None, None)


def _is_readable(name: str, value: str) -> bool:
    """Whether a store can be asked for it; ``q`` says itself what is wrong with it, and rows are many."""
    rows = value.split(",") if name in {"fold", "unfold"} and len(value) <= _LONGEST_ROWS else [value]
    return name == "q" or all(map(is_storable, rows))


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _one_of(value: str | None, choices: tuple[Any, ...]) -> Any:
    return value if value in choices else choices[0]
