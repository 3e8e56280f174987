"""Run it: an environment for each tool, all programs side by side, and the tables as Markdown.

    python -m benchmarks.side_by_side [--quick] [--tools miharu,Langfuse] [--scenes sync,async] [--rounds 9]
        [--environments FOLDER] [--checkout FOLDER] [--save]

With ``--save`` the tables replace RESULTS.md beside this file. The whole takes about forty minutes.
"""

import argparse
import os
import platform
import random
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import model
from benchmarks.side_by_side import environments
from benchmarks.side_by_side.blocks import (
    SCENES,
    SETTLED_S,
    Measured,
    Scene,
    Subject,
    running,
    starts,
    take_turns,
)
from benchmarks.side_by_side.figures import scene_table, start_table

IDLE_S = 5.0


def main() -> None:
    options = _options()
    tools = [tool for tool in environments.REQUIREMENTS if tool in ("bare", *options.tools)]
    scenes = [scene for scene in SCENES if not options.scenes or scene.name in options.scenes]
    share, rounds = (0.3, 3) if options.quick else (1.0, options.rounds)
    for tool in tools:
        print(f"an environment for {tool}", flush=True)
        environments.make(options.environments, tool, options.checkout)
    with ExitStack() as stack:
        url = stack.enter_context(model.running())
        begun = {tool: starts(tool, options.environments, url, 1 if options.quick else 5) for tool in tools}
        measured = [Measured(tool) for tool in tools]
        for number in range(rounds):
            _round(measured, options.environments, url, scenes, bare_first=number % 2 == 0, share=share)
            print(f"round {number + 1} of {rounds}", flush=True)
    for one in measured:
        one.versions = environments.versions(options.environments, one.tool)
        one.installed = environments.installed_bytes(options.environments, one.tool)
    tables = [start_table(measured, begun), *(scene_table(scene.name, measured[1:]) for scene in scenes)]
    print("\n" + "\n\n".join(tables))
    if options.save:
        Path(__file__).with_name("RESULTS.md").write_text("\n\n".join([_head(rounds), *tables]) + "\n")


def _round(
    measured: Sequence[Measured],
    envs: Path,
    model_url: str,
    scenes: Sequence[Scene],
    *,
    bare_first: bool,
    share: float,
) -> None:
    """All scenes once, with programs of their own."""
    with ExitStack() as stack:
        subjects = [stack.enter_context(running(one, envs, model_url)) for one in measured]
        for subject in subjects:
            subject.ask(do="started", rest=1.0)
            subject.block(scenes[0], 10)  # what the first call brings about is in the table of starts
            with subject.awake():
                subject.ask(do="idle", seconds=SETTLED_S)
        for scene in scenes:
            take_turns(subjects[1:], subjects[0], scene, bare_first=bare_first, share=share)
        for subject in random.sample(subjects, len(subjects)):
            _end(subject)


def _end(subject: Subject) -> None:
    measured = subject.measured
    with subject.awake():
        idle = subject.ask(do="idle", seconds=IDLE_S)
        measured.rss.append(int(idle["rss"]))
        measured.idle.append(idle["process"] / IDLE_S)
        measured.end.append(subject.ask(do="finish")["process"])
        measured.arrived += 0 if subject.tool == "bare" else subject.count()


def _head(rounds: int) -> str:
    return (
        f"# Side by side, {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"`python -m benchmarks.side_by_side`, {rounds} rounds; {platform.python_implementation()} "
        f"{platform.python_version()} on {os.cpu_count()} processors, {platform.system()}. "
        "Over the bare SDK in the same run: medians of paired blocks, each round in programs of its own,\n"
        "with the interval that holds the true "
        "median with 95 %. The whole process counts background threads and the flush at each block's end."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of the calls, three rounds")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tools", type=_names, default=list(environments.REQUIREMENTS)[1:])
    parser.add_argument("--scenes", type=_names, default=[])
    parser.add_argument("--environments", type=Path, default=Path(".venv-side-by-side").absolute())
    parser.add_argument("--checkout", type=Path, default=environments.CHECKOUT)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return text.split(";")


if __name__ == "__main__":
    main()
