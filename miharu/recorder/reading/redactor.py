"""What is kept of calls, spans and scores, without credentials. All pass here before they are kept.

A call knows what its own request has carried; what belongs to no request is compared with what the last ones
have carried.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from miharu._guard import swallowed
from miharu.batch import Marker, Score, Span
from miharu.call import Call
from miharu.exchange import Request
from miharu.recorder.reading.content import SEEN_CONTENT, Content, Hook
from miharu.recorder.reading.headers import sdk_of
from miharu.redaction.credentials import credentials, in_body
from miharu.redaction.names import Verdict, verdict
from miharu.redaction.shapes import is_suspicious
from miharu.redaction.text import REDACTED, cut, redacted
from miharu.redaction.values import SHORT, Written, is_telling, remember, remembered, written

__all__ = ("LONGEST_MESSAGE", "Redactor")

LONGEST_MESSAGE = 2000
"""Characters of a message or a comment that are kept."""
LONGEST_STACK = 16_000
"""Characters of a traceback that are kept."""
_LONG = (re.compile(r':"(?!\d)[^"]{16}'), re.compile(r'\["(?!\d)[^"]{16}'))
"""A longer string in a JSON of figures: it may be anything."""


class Redactor:
    """Redacts what is kept, in the recorder."""

    def __init__(self, hook: Hook | None = None) -> None:
        """Prepare.

        Args:
            hook: The user's own, for content.
        """
        self._content = Content(hook)

    def call(self, call: Call, request: Request) -> Call:
        """The call without the credentials of its request, and without any others that can be told."""
        try:
            return self._call(call, request)
        except Exception:  # noqa: BLE001 - figures are not secret; content that was not redacted is not kept
            swallowed("redacting a call")
            return _bare(call)

    def _call(self, call: Call, request: Request) -> Call:
        own = credentials(request.headers, request.query, request.userinfo, request.fields)
        odd = call.body is not None or call.outcome.error_message or _is_odd(call)
        if odd and request.body:
            own = tuple(dict.fromkeys((*own, *in_body(request.body[:SEEN_CONTENT]))))
        agent = request.headers.get("user-agent", "")
        if agent and (call.sdk is None or _tells((agent,), own)):
            call = replace(call, sdk=sdk_of({"user-agent": redacted(agent, own)}))
            if call.sdk is None and is_telling(agent):  # it is a secret itself, or may be one
                own, odd = (*own, agent), True
        remember(own)
        if odd or _may_tell(call, own):
            call = _clean_call(call, (*own, *remembered()))
        return call if call.body is None else replace(call, body=self._content.kept(call.body, own))

    def span(self, span: Span) -> Span:
        """The span without credentials."""
        texts = (span.name, span.route, span.service, span.user_id, span.session_id, span.error_type)
        known = remembered()
        if _has_content(span):
            span = self._without_secrets(span, known)
        if not span.error_message and not span.tags and not _suspicious(texts) and not _holds(texts, known):
            return span
        return replace(
            span,
            name=_clean(span.name, known) or "",
            error_type=_clean(span.error_type, known),
            error_message=_message(span.error_message, known),
            route=_clean(span.route, known),
            service=_clean(span.service, known),
            user_id=_clean(span.user_id, known),
            session_id=_clean(span.session_id, known),
            tags=_clean_tags(span.tags, known),
        )

    def _without_secrets(self, span: Span, values: Sequence[str]) -> Span:
        """With what it was given and returned as a body is kept, and the traceback as a message is."""
        try:
            return replace(
                span,
                input=self._content.text(span.input, values),
                output=self._content.text(span.output, values),
                error_stack=span.error_stack and cut(span.error_stack, LONGEST_STACK, values),
            )
        except Exception:  # noqa: BLE001 - content that was not redacted is not kept
            swallowed("redacting a span")
            return replace(span, input=None, output=None, error_stack=None)

    def marker(self, marker: Marker) -> Marker:
        """The marker without credentials."""
        known = remembered()
        tags = {name: _clean(value, known) or "" for name, value in (marker.tags or {}).items()}
        return replace(marker, name=_clean(marker.name, known) or "", tags=tags or None)

    def score(self, score: Score) -> Score:
        """The score without credentials."""
        known = remembered()
        return replace(score, name=_clean(score.name, known) or "", comment=_message(score.comment, known))


def _has_content(span: Span) -> bool:
    return span.input is not None or span.output is not None or span.error_stack is not None


def _bare(call: Call) -> Call:
    """The call with its figures alone."""
    return replace(
        call,
        outcome=replace(call.outcome, error_message=None),
        usage=replace(call.usage, usage_raw=None),
        body=None,
        sdk=None,
        response_id=None,
        request_id=None,
        rate_limit=None,
        host_request_id=None,
        tags=None,
        tools=None,
        prompt_name=None,
    )


def _is_odd(call: Call) -> bool:
    """Whether there is text where figures belong."""
    raw, limits = call.usage.usage_raw, call.rate_limit
    return bool((raw and _is_wordy(raw)) or (limits and _is_wordy(limits)))


def _is_wordy(text: str) -> bool:
    return _LONG[0].search(text) is not None or _LONG[1].search(text) is not None


def _may_tell(call: Call, own: tuple[str, ...]) -> bool:
    """Whether there may be a credential in it: a quick look, for the many calls in which there is none."""
    usual = (call.sdk, call.host, call.model, call.request_model, call.finish_reason, call.service_tier)
    whose = (call.route, call.service, call.outcome.error_type, call.prompt_name)
    if _tells((*usual, *whose, call.tools), own, coded=False) or _tells_by_tags(call.tags):
        return True
    single = (call.response_id, call.request_id, call.host_request_id, call.user_id, call.session_id)
    figures = (call.rate_limit, call.usage.usage_raw, *_texts_of(call.tags))
    return _suspicious(single) or _holds((*single, *figures), own, coded=False) or _holds_coded(single, own)


def _texts_of(tags: Mapping[str, str] | None) -> Sequence[str]:
    return (*tags.keys(), *tags.values()) if tags else ()


def _tells_by_tags(tags: Mapping[str, str] | None) -> bool:
    return bool(tags) and any(
        verdict(name) is Verdict.YES or is_suspicious(f"{name} {value}")
        for name, value in (tags or {}).items()
    )


@lru_cache(1024)
def _tells(texts: tuple[str | None, ...], own: tuple[str, ...], *, coded: bool = True) -> bool:
    """Whether there may be a credential in these texts, which are those of many calls."""
    return _suspicious(texts) or _holds(texts, own, coded=coded)


def _suspicious(texts: Sequence[str | None]) -> bool:
    return is_suspicious("\n".join(filter(None, texts)))


def _holds(texts: Sequence[str | None], values: Sequence[str], *, coded: bool = True) -> bool:
    """Whether any of the values stands in any of the texts, however it is written.

    Args:
        texts: Short ones.
        values: What a request has carried.
        coded: Whether in base64 and in hexadecimal digits, too.
    """
    if not values:
        return False
    data = "\n".join(filter(None, texts)).encode("utf-8", "surrogatepass")
    return any(form.is_in(data, coded=coded) for form in _forms(tuple(values)))


def _holds_coded(texts: Sequence[str | None], values: Sequence[str]) -> bool:
    """Whether in base64 or in hexadecimal digits: not in what is too short for that, as most ids are."""
    if not values:
        return False
    longest = max([len(text) for text in texts if text], default=0)
    short = all(form.shortest_code > longest for form in _forms(tuple(values)))
    return not short and _holds(texts, values)


@lru_cache(64)
def _forms(values: tuple[str, ...]) -> tuple[Written, ...]:
    """How they are written; not of one that holds another, which would be found first."""
    whole = [value for value in values if len(value) >= SHORT]
    return tuple(
        written(value) for value in values if not any(one in value and one != value for one in whole)
    )


def _clean_call(call: Call, values: Sequence[str]) -> Call:
    outcome, usage = call.outcome, call.usage
    return replace(
        call,
        outcome=replace(
            outcome,
            error_type=_clean(outcome.error_type, values),
            error_message=_message(outcome.error_message, values),
        ),
        usage=replace(usage, usage_raw=_clean(usage.usage_raw, values)),
        sdk=_clean(call.sdk, values),
        host=_clean(call.host, values),
        model=_clean(call.model, values),
        request_model=_clean(call.request_model, values),
        finish_reason=_clean(call.finish_reason, values),
        service_tier=_clean(call.service_tier, values),
        response_id=_clean(call.response_id, values),
        request_id=_clean(call.request_id, values),
        rate_limit=_clean(call.rate_limit, values),
        route=_clean(call.route, values),
        service=_clean(call.service, values),
        host_request_id=_clean(call.host_request_id, values),
        user_id=_clean(call.user_id, values),
        session_id=_clean(call.session_id, values),
        tags=_clean_tags(call.tags, values),
        tools=_clean(call.tools, values),
        prompt_name=_clean(call.prompt_name, values),
    )


def _clean(text: str | None, values: Sequence[str]) -> str | None:
    """A name or a figure: what nothing can be seen in is not looked through."""
    if not text or not (_is_wordy(text) or is_suspicious(text) or _holds((text,), values)):
        return text
    return redacted(text, values)


def _message(text: str | None, values: Sequence[str]) -> str | None:
    return text and cut(text, LONGEST_MESSAGE, values)


def _clean_tags(tags: Mapping[str, str] | None, values: Sequence[str]) -> Mapping[str, str] | None:
    return tags and {
        _clean(name, values) or "": REDACTED if verdict(name) is Verdict.YES else _clean(value, values) or ""
        for name, value in tags.items()
    }
