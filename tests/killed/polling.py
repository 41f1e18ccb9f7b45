"""A PollExecutor with a journal, over a service that finishes tasks at random, until the process is killed."""

import random
import sys
from math import inf

from books import say

from more_executors import Executors
from more_executors.journal import Journal

path, generation, seed = sys.argv[1:]
moods = random.Random(seed)
finished = set()


def poll(descriptors):
    for descriptor in descriptors:
        if descriptor.result in finished:
            descriptor.yield_result("done")
    return inf


executor = Executors.sync().with_poll(poll, journal=Journal(path))
outstanding = dict(executor.resume())
for task_id in outstanding:
    say("resumed", task_id)
say("open")

for count in range(1_000_000):
    begun, over = [], []
    for task in range(moods.randrange(1, 8)):
        task_id = f"{generation}-{count}-{task}"
        say("starting", task_id)
        outstanding[task_id] = executor.submit(lambda task_id=task_id: task_id)
        begun.append(task_id)
    for task_id in moods.sample(sorted(outstanding), moods.randrange(len(outstanding) + 1)):
        say("ending", task_id)
        finished.add(task_id)
        over.append(task_id)
    executor.notify()
    if moods.random() < 0.7:
        for task_id in over:
            assert outstanding[task_id].result(60) == "done"
        assert executor.flush_journal(60)
        for task_id in begun:
            say("recorded", task_id)
        for task_id in over:
            say("forgotten", task_id)
    for task_id in over:
        del outstanding[task_id]
