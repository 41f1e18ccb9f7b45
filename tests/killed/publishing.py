"""A PollExecutor that starts tasks by key, over a service whose books outlive it, until the process is killed.

It says `acknowledged KEY OUTCOME` when it is on record how a task ended, `begun KEY ID` when that it was started is.
With `end`, it waits for all keys instead, says `final KEY OUTCOME` of each, and ends.
"""

import json
import logging
import random
import sys
import threading
import time
from concurrent.futures import CancelledError, wait
from functools import partial

from books import say
from ledger import Ledger

from more_executors import Executors
from more_executors.journal import Journal, Keys, OutcomeNotRecorded, StartInDoubt

KEYS_A_RUN = 12

path, books, variant, generation, seed, how = sys.argv[1:]
ends = how == "end"
logging.disable(logging.ERROR)  # that some results cannot be encoded
moods = random.Random(seed)
ledger = Ledger(books, generation)
polled = {}  # ids by key


def kind(task_id):
    return random.Random(task_id).choice(["done", "done", "done", "done", "failed", "odd"])


def start(key, *, token=None):
    mood = 1.0 if ends else random.random()
    if mood < 0.05:
        raise OSError("refused")
    if mood < 0.08:
        raise StartInDoubt(key)  # before it arrived
    if mood > 0.5 and not ends:
        time.sleep(random.random() * 0.002)
    found = ledger.start(key, token)
    if mood < 0.15:
        raise StartInDoubt(key)
    if mood > 0.75 and not ends:
        time.sleep(random.random() * 0.002)
    return {**found, "key": key}


def start_without(key):
    return start(key)


def poll(descriptors):
    for descriptor in descriptors:
        task_id, key = descriptor.result["id"], descriptor.result["key"]
        polled[key] = task_id
        if not ends and random.random() < 0.6:
            continue
        if ledger.over.get(task_id) == "cancelled":
            descriptor.yield_exception(RuntimeError(f"{task_id} was cancelled"))
        elif kind(task_id) == "failed":
            ledger.end(task_id, "failed")
            descriptor.yield_exception(RuntimeError(f"{task_id} failed"))
        else:
            descriptor.yield_result(f"{task_id} is done" if kind(task_id) == "done" else object())
    return 0.001


def find(keys):
    time.sleep(random.random() * 0.003)
    return {key: {"id": ledger.ids[key], "key": key} for key in keys if key in ledger.ids}


def cancel(result):
    if random.random() < 0.5:
        return False
    ledger.end(result["id"], "cancelled")
    return True


def outcome(future):
    try:
        result = future.result(60)
    except StartInDoubt:
        return ["in doubt"]
    except OutcomeNotRecorded:
        return ["odd"]
    except CancelledError:
        return ["cancelled"]
    except Exception as error:
        return ["failed", str(error)]
    return ["done", result] if isinstance(result, str) else ["odd"]


KEYS = {
    "fail": Keys(),
    "find": Keys(find_fn=find, retry_failed=False),
    "token": Keys(in_doubt="start"),
}

executor = Executors.thread_pool(4).with_poll(
    poll, cancel, journal=Journal(path), keys=KEYS[variant], default_interval=0.001
)
starts = start if variant == "token" else start_without
known = [f"{earlier}.{number}" for earlier in range(int(generation) + 1) for number in range(KEYS_A_RUN)]
say("open")

if ends:
    futures = executor.submit_many_once(starts, known)
    for key, future in zip(known, futures, strict=True):
        say("final", f"{key} {json.dumps(outcome(future))}")
    executor.shutdown()
    sys.exit()


def submit(keys, futures):
    for key in keys:
        futures[key] = executor.submit_once(key, partial(starts, key))


while True:
    some = sorted({*known[-KEYS_A_RUN:], *moods.sample(known, min(len(known), 20))})
    if moods.random() < 0.5:
        futures = dict(zip(some, executor.submit_many_once(starts, some), strict=True))
    else:
        futures = {}
        threads = [threading.Thread(target=submit, args=(some[n::2], futures)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if moods.random() < 0.3:
        for key in moods.sample(some, 2):
            futures[key].cancel()
    if moods.random() < 0.7:
        wait(list(futures.values()), moods.random() * 0.05)
    begun = polled.copy()
    ended = {key: outcome(future) for key, future in futures.items() if future.done()}
    if executor.flush_journal(60):
        for key, task_id in begun.items():
            say("begun", f"{key} {task_id}")
        for key, what in ended.items():
            if what[0] in ("done", "failed", "odd"):
                say("acknowledged", f"{key} {json.dumps(what)}")
    del futures
