"""The interpreter ends with f_timeout pending: it neither waits nor prints, and a thread that waits is let go."""

import threading
from concurrent.futures import CancelledError, Future

from more_executors import f_map, f_timeout, f_zip

inputs = [Future() for _ in range(1000)]
futures = [f_timeout(source, 3600) for source in inputs]
gathered = f_zip(*futures)
mapped = f_map(futures[0], str)
waiting = threading.Event()


def wait():
    waiting.set()
    try:
        futures[0].result()
    except CancelledError:
        return
    raise AssertionError("it was not cancelled")


threading.Thread(target=wait).start()
assert waiting.wait(10)
assert not any(future.done() for future in [*futures, gathered, mapped])
