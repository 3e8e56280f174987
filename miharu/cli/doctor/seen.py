"""The libraries that speak to models, and whether their calls are seen."""

from collections.abc import Iterator

from miharu.cli.doctor import libraries
from miharu.cli.doctor.finding import Finding, Mark

__all__ = ("findings",)

_WHAT = {
    **dict.fromkeys(("httpx", "httpx2"), "seen, sync and async"),
    "websockets": "sessions with models are seen, sync and async",
}


def findings() -> Iterator[Finding]:
    """One finding for each HTTP client and each library that is installed."""
    for client, version in libraries.versions().items():
        yield _client(client, version)
    sights = list(libraries.look())
    for sight in sights:
        mark: Mark = "ok" if sight.seen and not sight.unseen else "warn"
        speaks = "" if sight.client == "unknown" else f" speaks {sight.client}"
        unseen = f"{sight.name}'s {sight.unseen}" if sight.unseen else f"calls of {sight.name}"
        yield Finding(
            mark,
            f"{sight.name} {sight.version}{speaks}; seen: {sight.why}",
            unseen="" if mark == "ok" else unseen,
        )
    if not sights:
        yield Finding(
            "note", "no SDK that this report knows is installed; other programs of httpx are seen as well"
        )


def _client(name: str, version: str) -> Finding:
    if name in libraries.ON:
        return Finding("ok", f"{name} {version}: seen, as it runs on {libraries.ON[name]}")
    if name not in libraries.SEEN:
        what = f"what goes through {name}"
        return Finding("note", f"{name} {version}: calls through it are not seen yet", unseen=what)
    try:
        missing = libraries.patch_points(name)
    except ImportError as error:
        return Finding("wrong", f"{name} {version} cannot be imported: {error}")
    if missing:
        return Finding("wrong", f"{name} {version} has no {' and no '.join(missing)}: not all calls are seen")
    return Finding("ok", f"{name} {version}: {_WHAT.get(name, 'seen')}")
