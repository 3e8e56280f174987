"""A flow of Prefect with tasks, one of which runs in a thread of a task runner."""

from prefect import flow, task

import miharu
from tests.frameworks.model import ask

miharu.init()


@task
def summarise(name: str) -> None:
    ask(name)


@flow
def nightly(user: str) -> None:
    with miharu.context(user=user, route="prefect nightly"):
        ask("flow")
        summarise("task")
        summarise.submit("submitted").result()


if __name__ == "__main__":
    nightly("ann")
    ask("main")
