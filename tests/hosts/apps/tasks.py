"""A Celery app whose broker and results are folders."""

import os

from celery import Celery

folder = os.environ["CELERY_FOLDER"]
app = Celery("tasks", broker="filesystem://", backend=f"file://{folder}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{folder}/queue",
    "data_folder_out": f"{folder}/queue",
    "control_folder": f"{folder}/control",
}
app.conf.worker_hijack_root_logger = False


@app.task  # type: ignore[untyped-decorator]
def asking(number: int) -> int:
    from tests.hosts.apps.asking import ask

    return ask(f"task {number}")
