"""The reader of calls, made by the settings."""

from collections.abc import Callable, Iterable

from miharu import plugins
from miharu.config import NOTHING_IGNORED, Config
from miharu.providers import BUILT_IN
from miharu.providers.base import Rule
from miharu.providers.known_rules import KNOWN_RULES
from miharu.providers.on_use import OnUse
from miharu.recorder.reading.reader import Reader
from miharu.recorder.threads.imports import importing

__all__ = ("reader_of",)


def reader_of(config: Config, widen: Callable[[Iterable[Rule]], object] = bool) -> Reader:
    """What reads calls, with the wire formats of the program, our own, and those of other packages.

    Args:
        config: The settings.
        widen: Told of the rules of those of other packages.
    """
    formats = [OnUse(point, KNOWN_RULES[point.name], importing) for point in BUILT_IN]
    extra = [provider() for _, provider in plugins.load(plugins.installed("miharu.providers"))]
    widen(rule for provider in extra for rule in provider.rules)
    return Reader(
        [*config.providers, *formats, *extra],
        service=config.service,
        capture_content=config.capture_content,
        estimate_usage=config.estimate_usage,
        redact=config.redact,
        ignore=config.ignore.call if config.ignore != NOTHING_IGNORED else None,
    )
