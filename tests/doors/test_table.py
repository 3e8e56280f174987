"""The page says what was seen, and there is nothing in it that was not expected."""

import json

from tests.doors import wsgi_matrix
from tests.doors.matrix import CASES, DOORS, PAGE, SEEN, page
from tests.doors.serving import SERVERS


def test_the_page_is_made_of_what_was_seen() -> None:
    assert PAGE.read_text() == page(), "run scripts/doors_table"


def test_the_page_is_made_of_what_was_seen_under_wsgi() -> None:
    assert PAGE.read_text() == wsgi_matrix.page(), "run scripts/doors_table"
    cells = json.loads(wsgi_matrix.SEEN.read_text())["cells"]
    assert [(cell["door"], cell["server"]) for cell in cells] == wsgi_matrix.CASES
    assert not [cell for cell in cells if cell["wrong"]]


def test_every_door_was_tried_on_every_server() -> None:
    cells = {(cell["door"], cell["server"]): cell for cell in json.loads(SEEN.read_text())["cells"]}
    assert set(cells) == set(CASES)
    surprises = {
        (name, server): cell
        for (name, server), cell in cells.items()
        if not (DOORS[name].asyncio_only and SERVERS[server].trio)
        and (set(cell["wrong"]) != set(DOORS[name].cannot_on(server)) or not cell["right"])
    }
    assert not surprises
