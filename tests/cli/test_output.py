import io

import pytest

from miharu.cli._output import Style, printable, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Style(Terminal()).bad("x") == "\x1b[31mx\x1b[0m"
    assert Style(io.StringIO()).bad("x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Style(Terminal()).bold("x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Style(Terminal()).good("x") == "x"


def test_columns_are_aligned() -> None:
    lines = table(("name", "n"), [("a", "1"), ("longer", "1,000")], Style(io.StringIO())).splitlines()
    assert lines == ["  name        n", "  a           1", "  longer  1,000"]


def test_a_name_cannot_command_the_terminal() -> None:
    assert printable("a\x1b[2Jb\n") == "a?[2Jb?"
    assert len(printable("x" * 500)) == 60
