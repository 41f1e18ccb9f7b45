"""A poll function that fails because the end has begun fails unseen."""

import threading

from more_executors import Executors

done = threading.Event()


def poll(descriptors):
    if descriptors:
        assert done.wait(10)
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")


executor = Executors.sync().with_poll(poll)
executor.submit(int).add_done_callback(lambda future: done.set())
(worker,) = (thread for thread in threading.enumerate() if thread.name == "PollExecutor-default")
threading.Thread(target=worker.join).start()
