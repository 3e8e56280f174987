import dramatiq
from dramatiq.brokers.stub import StubBroker

import miharu
from tests.frameworks.model import ask

miharu.init()
broker = StubBroker()
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=0)
def send_mail(user: str) -> None:
    with miharu.context(user=user, route="dramatiq send_mail"):
        ask(f"dramatiq.{user}")
    ask("dramatiq.outside")


if __name__ == "__main__":
    worker = dramatiq.Worker(broker, worker_threads=1)
    worker.start()
    for user in ("ann", "bob"):
        send_mail.send(user)
    broker.join(send_mail.queue_name)
    worker.join()
    worker.stop()
