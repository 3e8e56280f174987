import os
from pathlib import Path

from celery import Celery

import miharu
from tests.frameworks.model import ask

miharu.init()
folder = Path(os.environ["CELERY_FOLDER"])
app = Celery("shop", broker="filesystem://", backend=(folder / "results").as_uri())
app.conf.broker_transport_options = {
    "data_folder_in": folder / "queue",
    "data_folder_out": folder / "queue",
    "control_folder": folder / "control",
}


@app.task(name="shop.send_mail")
def send_mail(user: str) -> None:
    miharu.context(user=user)
    ask(f"celery.{user}")


@app.task(name="shop.fail")
def fail() -> None:
    ask("celery.fail")
    raise LookupError


@app.task(name="shop.inner")
def inner() -> None:
    ask("celery.inner")


@app.task(name="shop.outer")
def outer() -> None:
    inner.apply()
    ask("celery.outer")
