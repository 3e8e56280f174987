"""``@miharu.observe``: each run of a function is a span, whether it is plain, a coroutine or a generator.

A generator shares its context with its consumer, so the span holds only while the generator itself runs,
turn by turn: between two turns the consumer's own calls are the consumer's. It begins with the first turn
and ends with the last, or when the generator is closed or let go of.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from miharu._guard import swallowed
from miharu.attribution import context, records
from miharu.attribution.spans.given import arguments, parameters
from miharu.attribution.spans.span import OpenSpan, kind_named
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.attribution.context import Context

__all__ = ("observe",)

F = TypeVar("F", bound=Callable[..., Any])


@overload
def observe(function: F, /) -> F: ...
@overload
def observe(*, name: str | None = None, kind: str | None = None) -> Callable[[F], F]: ...
def observe(function: Any = None, /, *, name: str | None = None, kind: str | None = None) -> Any:
    """A span for each run of the function, called like the function or as given.

    Where content is captured, a span has what the function was given and what it returned, too: as both were
    at that moment, within bounds. What a generator yields is not kept.

    Args:
        function: To be observed.
        name: What the dashboard calls it, if not by the function's name.
        kind: ``"tool"``, ``"agent"``, ``"workflow"``, or any operation of OpenTelemetry's conventions.

    Raises:
        ConfigError: It is a class or cannot be called, or name or kind is not a text.
    """
    if not _is_name(name):
        raise ConfigError(f"observe(name={name!r}): give a text, or leave it out.", "name")
    kind = kind_named(kind)
    if function is None:
        return functools.partial(_observed, name=name, kind=kind)
    return _observed(function, name=name, kind=kind)


def _is_name(name: object) -> bool:
    return name is None or (isinstance(name, str) and bool(name))


class _Work:
    """What the spans of a function have in common."""

    __slots__ = ("kind", "name", "parameters")

    def __init__(self, function: Any, name: str, kind: str | None) -> None:
        self.name, self.kind, self.parameters = name, kind, parameters(function)

    def span(self, args: tuple[Any, ...], options: dict[str, Any]) -> OpenSpan:
        """The span of one run."""
        span = OpenSpan(self.name, self.kind)
        if records.keeps_content():
            span.input = arguments(self.parameters, args, options)
        return span


def _observed(function: Any, *, name: str | None = None, kind: str | None = None) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_observed(function.__func__, name=name, kind=kind))
    if isinstance(function, type) or not callable(function):
        named = f"; to name the span, write @miharu.observe(name={function!r})" * isinstance(function, str)
        raise ConfigError(
            f"observe({function!r}): give a function or a method, not a class or a value{named}."
        )
    work = _Work(function, name or _name(function), kind)
    for is_one, wrapper in (
        (inspect.iscoroutinefunction, _coroutine),
        (inspect.isasyncgenfunction, _asyncgen),
        (inspect.isgeneratorfunction, _generator),
    ):
        if is_one(function):
            return functools.wraps(function)(wrapper(function, work))
    return functools.wraps(function)(_function(function, work))


def _name(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return str(named.__qualname__).rpartition("<locals>.")[2]


def _coroutine(function: Callable[..., Any], work: _Work) -> Callable[..., Any]:
    async def observed(*args: Any, **options: Any) -> Any:
        with work.span(args, options) as span:
            result = await function(*args, **options)
            span.output = result
            return result

    return observed


def _generator(function: Callable[..., Any], work: _Work) -> Callable[..., Any]:
    def observed(*args: Any, **options: Any) -> Generator[Any, Any, Any]:
        return (yield from _Steps(function(*args, **options), _Turns(work.span(args, options))))

    return observed


def _asyncgen(
    function: Callable[..., Any], work: _Work | None, turns: "_Turns | None" = None
) -> Callable[..., Any]:
    async def observed(*args: Any, **options: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **options)
        turn = turns or _Turns(work.span(args, options) if work is not None else OpenSpan("span"))
        step = inner.__anext__()
        while True:
            turn.begin()
            try:
                item = await step
            except StopAsyncIteration:
                turn.finish()
                return
            except BaseException as error:
                turn.finish(error)
                raise
            turn.rest()
            try:
                sent = yield item
            except GeneratorExit as error:
                turn.begin()
                try:
                    await inner.aclose()
                finally:
                    turn.finish(error)
                raise
            except BaseException as error:  # noqa: BLE001 - it is the generator's to answer
                step = inner.athrow(error)
            else:
                step = inner.asend(sent)

    return observed


def _function(function: Callable[..., Any], work: _Work) -> Callable[..., Any]:
    """A plain one may return what only runs later, such as a coroutine; then the span lasts until its end."""

    def observed(*args: Any, **options: Any) -> Any:
        turns = _Turns(work.span(args, options))
        turns.begin()
        try:
            result = function(*args, **options)
        except BaseException as error:
            turns.finish(error)
            raise
        kind = type(result)
        if kind is CoroutineType or kind is GeneratorType or kind is AsyncGeneratorType:
            turns.rest()
            return _LATER[kind](result, turns)
        turns.span.output = result
        turns.finish()
        return result

    return observed


class _Turns:
    """A span that holds only during the turns of a generator."""

    __slots__ = ("_around", "_inside", "span")

    def __init__(self, span: OpenSpan) -> None:
        self.span = span
        self._around: Context | None = None
        self._inside: Context | None = None

    def begin(self) -> None:
        """Hold the span from here on."""
        try:
            self._around = context.current()
            if self.span.origin is None:
                self.span.begin()
            else:
                context.put(self._inside)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("miharu.observe()")

    def rest(self) -> None:
        """Let hold again what held before, unless the generator is being closed in another context."""
        here = context.current()
        if context.within(here, self.span):
            self._inside = here
            context.put(self._around)

    def finish(self, error: BaseException | None = None) -> None:
        try:
            self.rest()
            self.span.end(error)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("miharu.observe()")


class _Steps(Generator[Any, Any, Any]):
    """The generator, with its span held during each step."""

    def __init__(self, inner: Generator[Any, Any, Any], turns: _Turns) -> None:
        self._inner = inner
        self._turns = turns

    def send(self, value: Any) -> Any:
        return self._step(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._inner.throw, *error)

    def close(self) -> None:
        self._turns.begin()
        try:
            self._inner.close()
        except BaseException as error:
            self._turns.finish(error)
            raise
        self._turns.finish(GeneratorExit())

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        self._turns.begin()
        try:
            item = step(*args)
        except StopIteration:
            self._turns.finish()
            raise
        except BaseException as error:
            self._turns.finish(error)
            raise
        self._turns.rest()
        return item


async def _awaited(inner: Coroutine[Any, Any, Any], turns: _Turns) -> Any:
    turns.begin()
    try:
        result = await inner
    except BaseException as error:
        turns.finish(error)
        raise
    turns.span.output = result
    turns.finish()
    return result


_LATER: dict[type, Callable[[Any, _Turns], Any]] = {
    CoroutineType: _awaited,
    GeneratorType: _Steps,
    AsyncGeneratorType: lambda inner, turns: _asyncgen(lambda: inner, None, turns)(),
}
