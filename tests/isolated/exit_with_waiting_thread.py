"""A thread that is no daemon waits for a future that nobody resolves: at the end it is told, and can end."""

import threading
from concurrent.futures import CancelledError

from more_executors import Executors

executor = Executors.sync().with_poll(lambda descriptors: None)
future = executor.submit(int)
waiting = threading.Event()


def wait():
    waiting.set()
    try:
        future.result()
    except CancelledError:
        return
    raise AssertionError("not cancelled")


threading.Thread(target=wait).start()
assert waiting.wait(10)
