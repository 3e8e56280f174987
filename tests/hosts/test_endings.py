"""How a program may end, and what of its calls is left."""

import signal

import pytest

from miharu.recorder.spool import calls_in
from tests.hosts.conftest import Host, eventually, need

need()


def test_a_program_that_leaves_by_the_back_door(host: Host) -> None:
    script = """
import miharu, time
ask("one"), ask("two")
while miharu.stats()["written"] < 2: time.sleep(0.001)
os._exit(3)
"""
    host.script(script, code=3)
    assert len(host.rows()) == 2


def test_a_program_that_is_killed(host: Host) -> None:
    host.write("import time\nask()\ntime.sleep(600)")
    with host.running("script") as program:
        eventually(host.rows)
        program.process.send_signal(signal.SIGKILL)
        program.process.wait()
    assert len(host.rows()) == 1


def test_a_program_that_is_killed_before_its_prices_are_even_imported(host: Host) -> None:
    (host.folder / "genai_prices.py").write_text("import time\nprint('importing')\ntime.sleep(600)")
    host.write("import time\nask(), ask()\ntime.sleep(600)")
    with host.running("script") as program:
        program.says("(importing)")
        eventually(lambda: sum(map(calls_in, host.spools())) == 2)
        program.process.kill()
        program.process.wait()
    (host.folder / "genai_prices.py").unlink()
    assert host.rows() == []
    rows = host.rows_at_last()
    assert [row["status"] for row in rows] == ["success"] * 2
    assert all(row["cost_nanousd"] for row in rows)


@pytest.mark.parametrize("module", ["msgspec", "sqlite3"])
def test_a_program_that_is_killed_while_its_recorder_still_starts(host: Host, module: str) -> None:
    """What waits is safe before anything can be read or stored."""
    (host.folder / f"{module}.py").write_text("import time\nprint('importing')\ntime.sleep(600)")
    host.write("import time\nask(), ask()\ntime.sleep(600)")
    with host.running("script") as program:
        program.says("(importing)")
        eventually(lambda: sum(map(calls_in, host.spools())) == 2)
        program.process.kill()
        program.process.wait()
    (host.folder / f"{module}.py").unlink()
    rows = host.rows_at_last()
    assert [row["status"] for row in rows] == ["success"] * 2
    assert all(row["cost_nanousd"] for row in rows)


def test_a_program_that_ends_while_its_database_is_locked(host: Host) -> None:
    host.script("ask('first')\n")
    script = f"""
import miharu, sqlite3
miharu.flush()
other = sqlite3.connect({str(host.database)!r}, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
ask("second"), ask("third")
assert not miharu.shutdown(0.5)
os._exit(0)
"""
    host.script(script, said=r"miharu: the program ends before \S+ has taken all calls; 2 wait .*spool-.*")
    assert len(host.rows()) == 1
    assert len(host.rows_at_last()) == 3


def test_children_that_leave_by_the_back_door_take_nothing_with_them(host: Host) -> None:
    host.script(
        """
ask("before")
for _ in range(5):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    ask("between")
"""
    )
    assert len(host.rows_at_last()) == 6


def test_a_child_that_lives_longer_than_its_parent(host: Host) -> None:
    host.script(
        """
ask("parent")
ready, told = os.pipe()
if not os.fork():
    os.setsid()
    ask("child")
    os.write(told, b"x")
    sys.exit()
os.read(ready, 1)
"""
    )
    eventually(lambda: len(host.rows_at_last()) == 2)
