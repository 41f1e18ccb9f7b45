"""A rate limit that a thread of the parent was waiting for lets calls go in a forked child."""

import os
import threading
import time
import warnings

from more_executors import RateLimit

limit = RateLimit(1, per=5)
assert limit.try_take() == 0.0
waiting = threading.Thread(target=limit.take, args=(1000,), daemon=True)
waiting.start()
while not limit._line:
    time.sleep(0.001)
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
child = os.fork()
if child == 0:
    limit._next = 0.0  # the time has passed
    limit._resume = 0.0
    os._exit(0 if limit.try_take() == 0.0 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
