"""Whatever happens to the file: the program goes on, it is told in plain words, and calls are recorded."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miharu.testing import FakeProvider

from .faults import FAULTS, SET_ASIDE, App, Fault, fill, owned_by_nobody, place, play

EARLIER = 2000


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with FakeProvider() as provider:
        yield provider.base_url


@pytest.fixture(scope="module")
def app(provider: str) -> Iterator[App]:
    app = App(provider)
    yield app
    assert app.end() == 0


@pytest.fixture(scope="module")
def nobodys_app(provider: str) -> Iterator[App]:
    app = App(provider)
    app.become_nobody()
    yield app
    assert app.end() == 0


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("earlier") / "calls.db"
    fill(file, EARLIER)
    return file


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter; those of pytest are closed to others."""
    base = Path(tempfile.mkdtemp(prefix="miharu-faults-"))
    base.chmod(0o755)
    yield base
    shutil.rmtree(base)


SLOW = {"1,000 bytes flipped"}
"""Nearly every page of the file is damaged, so that bringing back what can be read takes minutes."""


def parameters() -> Iterator[Any]:
    """What also happens between two runs is left to the long run where it happens while the program runs."""
    at_rest = {fault.name for fault in FAULTS if not fault.running}
    for fault in FAULTS:
        long = (fault.running and fault.name in at_rest) or fault.name in SLOW
        when = "running" if fault.running else "between runs"
        yield pytest.param(fault, id=f"{fault.name}, {when}", marks=pytest.mark.full if long else ())


@pytest.mark.parametrize("fault", list(parameters()))
@pytest.mark.skipif(os.name != "posix", reason="faults are POSIX's")
def test_the_program_goes_on_and_calls_are_recorded(
    fault: Fault, folder: Path, earlier: Path, request: pytest.FixtureRequest
) -> None:
    if (fault.as_nobody or fault.mounts) and os.geteuid() != 0:
        pytest.skip("only root can make this fault")
    app: App = request.getfixturevalue("nobodys_app" if fault.as_nobody else "app")
    try:
        with place(fault, folder / "place") as there:
            for part in ("", ".layout"):
                shutil.copy(f"{earlier}{part}", there / f"calls.db{part}")
            if fault.as_nobody:
                owned_by_nobody(there)
            outcome = play(app, fault, there / "calls.db", EARLIER)
    except PermissionError as error:
        pytest.skip(f"this fault cannot be made here: {error}")
    assert outcome.found == outcome.made
    assert outcome.kept >= outcome.earlier * fault.least
    assert outcome.waited == fault.waits
    matching = [line for line in outcome.said if fault.says in line]
    # said once of calls, and at most once of what can wait
    assert 1 <= len(matching) <= 2 or not fault.says, outcome.said
    assert all(line.startswith("miharu: ") for line in outcome.said)
    if fault.says != SET_ASIDE and fault.least == 1:
        assert not outcome.aside
    if outcome.aside or fault.least == 1:
        assert outcome.sound
