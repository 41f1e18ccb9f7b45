"""A cancel() that shares the answer of one whose cancel function never returns is told at the end."""

import threading

from more_executors import Executors

deciding = threading.Event()
polled = threading.Event()


def poll(descriptors):
    if descriptors:
        polled.set()


def cancel(result):
    deciding.set()
    threading.Event().wait()


executor = Executors.sync().with_poll(poll, cancel)
future = executor.submit(int)
assert polled.wait(10)
threading.Thread(target=future.cancel, daemon=True).start()
assert deciding.wait(10)
threading.Thread(target=future.cancel).start()
