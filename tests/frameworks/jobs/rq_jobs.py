import miharu
from tests.frameworks.model import ask

miharu.init()


def sync(user: str) -> None:
    miharu.context(user=user)
    ask(f"rq.{user}")
