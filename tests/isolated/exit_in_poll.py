"""The interpreter ends while a poll function is blocked, and another one keeps polling."""

import threading

from more_executors import Executors

inside = threading.Barrier(3)


def blocked(descriptors):
    inside.wait(10)
    threading.Event().wait()


def busy(descriptors, first=[True]):  # noqa: B006
    if first:
        first.clear()
        inside.wait(10)
    return 0


executors = [Executors.sync().with_poll(poll) for poll in (blocked, busy)]
futures = [executor.submit(int) for executor in executors]
inside.wait(10)
