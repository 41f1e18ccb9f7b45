"""A program that runs tasks by key on shards, and writes what became of each key.

It says `open` when it has shards, `submitted` when it has all futures, and `over` when what became of them is written:
{key: [what, id or error]}, where what is "done", "cancelled", "pending" or the type of the error. A line `drain
ADDRESS` on its standard input has it drain that worker, and say `drained True` or `drained False`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import threading
import time
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from pathlib import Path
from typing import Any

import loss_calls
from loss_calls import Poison

from more_executors.dask.sharded import ShardedPollExecutor
from more_executors.journal import Journal, Keys


def say(what: str) -> None:
    os.write(1, f"{what}\n".encode())


def keys_of(mode: str, port: int) -> Keys:
    if mode == "find":
        return Keys(find_fn=partial(loss_calls.find, port))
    return Keys(in_doubt="start" if mode == "token" else "fail")


def obey(executor: ShardedPollExecutor[Any, Any, Any]) -> None:
    for line in sys.stdin:
        _, address = line.split()
        try:
            has_none = executor.drain(address)
        except ValueError:
            has_none = False
        say(f"drained {has_none}")


def cancel_some(futures: list[Future[Any]], rate: float, moods: random.Random) -> None:
    for future in moods.sample(futures, int(rate * len(futures))):
        time.sleep(moods.uniform(0, 0.05))
        future.cancel()


def became(future: Future[Any]) -> tuple[str, str]:
    if not future.done():
        return "pending", ""
    try:
        return "done", future.result()
    except CancelledError:
        return "cancelled", ""
    except Exception as error:
        if str(error).endswith(" is cancelled"):  # the service says so; the answer to who cancelled it was lost
            return "cancelled", ""
        return type(error).__name__, str(error)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("journal")
    parser.add_argument("account", type=Path)
    parser.add_argument("mode", choices=["fail", "token", "find"])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--lease", type=float, default=1.5)
    parser.add_argument("--patience", type=float, default=40.0)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--cancel", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--poison", type=json.loads)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    executor: ShardedPollExecutor[Any, Any, Any] = ShardedPollExecutor(
        options.address,
        partial(loss_calls.make, options.port),
        shards=6,
        lease=options.lease,
        timeout=5.0,
        patience=options.patience,
        journal=Journal(options.journal),
        keys=keys_of(options.mode, options.port),
    )
    say("open")
    threading.Thread(target=obey, args=(executor,), daemon=True).start()
    poison = None if options.poison is None else Poison(*options.poison)
    start = loss_calls.start if options.mode == "token" else loss_calls.start_without
    keys = [f"key-{number}" for number in range(options.tasks)]
    futures = executor.submit_many_once(partial(start, options.port, poison), keys)
    say("submitted")
    if options.cancel:
        cancel_some(futures, options.cancel, random.Random(options.seed))
    wait(futures, options.seconds)
    account = {key: became(future) for key, future in zip(keys, futures, strict=True)}
    options.account.write_text(json.dumps(account))
    logging.warning("%s", [shard._replace(polls=None) for shard in executor.shards()])
    say("over")
    if any(what == "pending" for what, _ in account.values()):
        os._exit(3)  # a shutdown would wait for these
    executor.shutdown()


if __name__ == "__main__":
    main()
