"""The rules of all built-in formats, as ``miharu/providers/known_rules.py`` keeps them."""

from collections.abc import Mapping, Sequence

from miharu import plugins
from miharu.providers import BUILT_IN
from miharu.providers.rules import Rule
from miharu.providers.turns import BY_NAME, Turns

__all__ = ("module", "rules")

_HEAD = '''"""The rules of all built-in formats, made by ``scripts/known_rules``: do not edit them here.

The gate needs them when ``miharu.init()`` is called, on the program's own thread, which has no time to import
the formats themselves; and the recorder imports a format with the first call that it may have to read. A test
compares.
"""

from collections.abc import Mapping, Sequence

from miharu.providers import turns
from miharu.providers.rules import Rule

__all__ = ("KNOWN_RULES",)

KNOWN_RULES: Mapping[str, Sequence[Rule]] = {
'''


def rules() -> Mapping[str, Sequence[Rule]]:
    """Those of each format, by its name as an entry point."""
    return {name: tuple(provider().rules) for name, provider in plugins.load(BUILT_IN)}


def module() -> str:
    """The module's text."""
    return _HEAD + "".join(_entry(name, found) for name, found in rules().items()) + "}\n"


def _entry(name: str, found: Sequence[Rule]) -> str:
    if len(found) == 1:  # as ruff has it
        return f'    "{name}": ({_written(found[0])},),\n'
    return f'    "{name}": (\n' + "".join(f"        {_written(rule)},\n" for rule in found) + "    ),\n"


def _written(rule: Rule) -> str:
    given = [f'"{rule.path}"'] if rule.path else []
    given += [f'host="{rule.host}"'] if rule.host else []
    given += [f'method="{rule.method}"'] if rule.method != "POST" else []
    given += [f'file="{rule.file}"'] if rule.file else []
    given += [f"turns=turns.{_name(rule.turns)}"] if rule.turns else []
    return f"Rule({', '.join(given)})"


def _name(turns: Turns) -> str:
    return next(name for name, value in BY_NAME.items() if value is turns)
