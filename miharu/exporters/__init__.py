"""Where calls go beside the store, by name.

base.py   the seam
otlp/     OpenTelemetry
"""

from collections.abc import Iterable
from importlib.util import find_spec

from miharu.config.refusal import refused
from miharu.plugins import Loadable, built_in, installed

__all__ = ("BUILT_IN", "points_for")

GROUP = "miharu.exporters"
BUILT_IN = built_in(GROUP, {"otlp": "miharu.exporters.otlp.exporter:OTLPExporter"})
_NEEDS = {"otlp": "opentelemetry.proto"}
"""What an exporter of miharu's imports; the extra that installs it has the exporter's name."""


def points_for(names: Iterable[str], setting: str = "exporters") -> tuple[Loadable, ...]:
    """The exporters of these names, each once. Only an unknown one has the installed packages searched.

    Args:
        names: Of exporters.
        setting: Where they come from, for the error.

    Raises:
        ConfigError: There is none of that name, or it needs a package that is not installed.
    """
    known: dict[str, Loadable] = {point.name: point for point in BUILT_IN}
    wanted = list(dict.fromkeys(names))
    if any(name not in known for name in wanted):
        known = {point.name: point for point in installed(GROUP)} | known
    for name in wanted:
        if name not in known:
            choices = ", ".join(sorted(known))
            raise refused(
                setting,
                name,
                f"there is no exporter of that name; choose from {choices}, or install its package",
            )
        if name in _NEEDS and not _is_there(_NEEDS[name]):
            raise refused(
                setting,
                name,
                f"{_NEEDS[name]} is not installed; install it with: pip install 'miharu[{name}]'",
            )
    return tuple(known[name] for name in wanted)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
