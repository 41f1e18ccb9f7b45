"""Two threads tell a recorder, at random, of tasks that join and end, until the process is killed."""

import logging
import random
import sys
import threading

from books import say

from more_executors.journal import Journal
from more_executors.journal._writer import JournalWriter

path, generation, seed = sys.argv[1:]
recorder = JournalWriter(Journal(path), logging.getLogger("recorder"), "killed")
recovered = list(zip(recorder.recovery.keys, recorder.recovery.values, strict=True))
say("open")


def work(number: int) -> None:
    moods = random.Random(f"{seed}-{number}")
    outstanding = dict(recovered[number::2])
    for count in range(1_000_000):
        begun, over = [], []
        for task in range(moods.randrange(1, 8)):
            key = recorder.first_key + (count * 8 + task) * 2 + number
            outstanding[key] = f"{generation}-{key}"
            say("starting", outstanding[key])
            recorder.joined(key, outstanding[key])
            begun.append(outstanding[key])
        for key in moods.sample(sorted(outstanding), moods.randrange(len(outstanding) + 1)):
            say("ending", outstanding[key])
            recorder.ended(key)
            over.append(outstanding.pop(key))
        if moods.random() < 0.7:
            assert recorder.flush(60)
            for task_id in begun:
                say("recorded", task_id)
            for task_id in over:
                say("forgotten", task_id)


threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
