from pathlib import Path

from miharu.providers import known_rules
from tests.providers.known_rules import module, rules


def test_the_gate_knows_every_rule_of_every_built_in_format() -> None:
    assert list(rules()) == list(known_rules.KNOWN_RULES), "run scripts/known_rules"
    assert Path(known_rules.__file__).read_text() == module(), "run scripts/known_rules"
