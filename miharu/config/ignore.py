"""Which calls are left out: by host and path, by the route that made them, or by a function."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from miharu.config.refusal import refused

if TYPE_CHECKING:
    from miharu.call import Call

__all__ = ("NOTHING_IGNORED", "Address", "Ignore", "ignored")

Address = Callable[[str, int | None, str], bool]
"""Whether what is sent to that host, port and path is left out."""

_ROUTE = "route:"
_EXAMPLES = (
    "give hosts such as 'api.example.com' or '*.example.com/v1/chat/*', paths such as '/v1/embeddings', "
    "routes such as 'route:/admin/*', or functions of a call"
)
_PATTERN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.*-]*)(?::(?P<port>\d{1,5}))?(?P<path>/[^?#\s]*)?")


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules, as they were given."""

    patterns: tuple[str, ...] = ()
    functions: "tuple[Callable[[Call], bool], ...]" = ()

    def addresses(self) -> Address | None:
        """Whether an address is left out; ``None`` where that is never so."""
        found = _compiled(tuple(one for one in self.patterns if not one.startswith(_ROUTE)), _address)
        if found is None:
            return None

        def matches(host: str, port: int | None, path: str) -> bool:
            host = f"[{host}]" if ":" in host else host
            return found.fullmatch(f"{host.lower()}:{port or ''}{path}") is not None

        return matches

    def routes(self) -> Callable[[str], bool] | None:
        """Whether what a route made is left out; ``None`` where that is never so."""
        found = _compiled(tuple(one for one in self.patterns if one.startswith(_ROUTE)), _route)
        return None if found is None else lambda route: found.fullmatch(route) is not None

    def call(self, call: "Call") -> bool:
        """Whether a call is left out by its route or by a function; what that raises is the caller's."""
        by_route = self.routes() if call.route else None
        if by_route is not None and by_route(call.route or ""):
            return True
        return any(function(call) for function in self.functions)


NOTHING_IGNORED = Ignore()


def ignored(given: "Iterable[str | Callable[[Call], bool]] | None", environ: Mapping[str, str]) -> Ignore:
    """The rules that are given, else those of ``MIHARU_IGNORE``.

    Raises:
        ConfigError: One is not valid.
    """
    if given is None:
        parts = [part.strip() for part in environ.get("MIHARU_IGNORE", "").split(",")]
        return Ignore(tuple(_sound("MIHARU_IGNORE", part) for part in parts if part))
    if isinstance(given, str) or callable(given):
        raise refused("ignore", given, "give a list of them")
    try:
        rules: list[Any] = list(given)
    except TypeError:
        raise refused("ignore", given, f"give a list: {_EXAMPLES}") from None
    for rule in rules:
        if inspect.iscoroutinefunction(rule):
            raise refused("ignore", rule, "give a plain function; the recorder waits for none")
        if not isinstance(rule, str) and (not callable(rule) or isinstance(rule, type)):
            raise refused("ignore", rule, _EXAMPLES)
    patterns = tuple(_sound("ignore", rule) for rule in rules if isinstance(rule, str))
    return Ignore(patterns, tuple(rule for rule in rules if not isinstance(rule, str)))


def _sound(setting: str, pattern: str) -> str:
    pattern = pattern.strip()
    if pattern.startswith(_ROUTE):
        if not pattern.removeprefix(_ROUTE).strip():
            raise refused(setting, pattern, "name a route, such as 'route:/admin/*' or 'route:POST /chat'")
        return pattern
    if "://" in pattern:
        raise refused(setting, pattern, "leave out the scheme: a host, and a path if you like")
    found = _PATTERN.fullmatch(pattern)
    if found is None or not (found["host"] or found["path"]):
        raise refused(setting, pattern, _EXAMPLES)
    return pattern


@lru_cache(32)
def _compiled(patterns: tuple[str, ...], make: Callable[[str], str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(make, patterns)), re.DOTALL) if patterns else None


def _address(pattern: str) -> str:
    found = _PATTERN.fullmatch(pattern)
    host, port, path = found.groups() if found else (pattern, None, None)
    standard = port in {"80", "443"}  # a client leaves it out
    ports = r"\d*" if port is None else rf"(?:{port})?" if standard else port
    return f"{_glob(host.lower()) or '.*'}:{ports}{_glob(path) if path else '(?:/.*)?'}"


def _route(pattern: str) -> str:
    """Of the route alone, or with its method."""
    route = pattern.removeprefix(_ROUTE).strip()
    return f"{_glob(route)}|[A-Z]+ {_glob(route)}"


def _glob(pattern: str) -> str:
    return ".*".join(map(re.escape, pattern.split("*")))
