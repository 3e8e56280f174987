"""The page says what was seen."""

import json

from tests.frameworks.places import LOST, PLACES
from tests.frameworks.table import FRAMEWORKS, PAGE, SEEN, page


def test_the_page_is_made_of_what_was_seen() -> None:
    assert PAGE.read_text() == page(), "run scripts/attribution_table"


def test_everything_was_seen_and_known_but_where_python_loses_it() -> None:
    seen = json.loads(SEEN.read_text())
    for framework, (_, places) in FRAMEWORKS.items():
        known = seen[framework]["places"]
        assert known == {place: place not in LOST for place in PLACES if place in places}
