import threading

from miharu.recorder.threads.bell import Bell


def test_a_ring_is_heard_once_however_often_it_was_rung() -> None:
    bell = Bell()
    assert not bell.wait(0)
    bell.ring()
    bell.ring()
    assert bell.wait()
    assert not bell.wait(0)


def test_it_wakes_the_thread_that_waits() -> None:
    bell, woken = Bell(), threading.Event()

    def wait() -> None:
        bell.wait()
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not woken.is_set()
    bell.ring()
    thread.join(10)
    assert woken.is_set()
