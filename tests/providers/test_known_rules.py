from pathlib import Path

from miharu.providers import known_rules
from tests.providers.known_rules import module, rules


def test_the_gate_and_the_reader_know_every_rule_of_every_built_in_format() -> None:
    assert list(rules().items()) == list(known_rules.KNOWN_RULES.items()), "run scripts/known_rules"
    assert Path(known_rules.__file__).read_text() == module(), "run scripts/known_rules"
