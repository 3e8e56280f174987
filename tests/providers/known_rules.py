"""The rules of all built-in formats, as ``miharu/providers/known_rules.py`` keeps them."""

from collections.abc import Iterator

from miharu import plugins
from miharu.providers import BUILT_IN
from miharu.providers.rules import Rule

__all__ = ("module", "rules")

_HEAD = '''"""The rules of all built-in formats, made by ``scripts/known_rules``: do not edit them here.

The gate needs them when ``miharu.init()`` is called, on the program's own thread, which has no time to import
the formats themselves. A test compares.
"""

from miharu.providers.rules import Rule

__all__ = ("KNOWN_RULES",)

KNOWN_RULES = (
'''


def rules() -> Iterator[Rule]:
    """In the order of the formats, each once."""
    found = [rule for _, provider in plugins.load(BUILT_IN) for rule in provider().rules]
    yield from dict.fromkeys(found)


def module() -> str:
    """The module's text."""
    return _HEAD + "".join(f"    {_written(rule)},\n" for rule in rules()) + ")\n"


def _written(rule: Rule) -> str:
    given = [f'"{rule.path}"'] if rule.path else []
    given += [f'host="{rule.host}"'] if rule.host else []
    given += [f'method="{rule.method}"'] if rule.method != "POST" else []
    return f"Rule({', '.join(given)})"
