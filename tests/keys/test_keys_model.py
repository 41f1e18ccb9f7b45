"""Programs that run one after the other with one journal, and are killed anywhere: a model knows what has to hold.

The model knows what the service was asked for, and what a flush has acknowledged:

* no task is started while one of the same key goes on, or when one is done;
* an outcome that was acknowledged is the outcome from then on, and a start that was is waited for;
* every future ends.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import threading
import time
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from keys_support import Program, copy_of
from support import PATIENCE, SomeError

from more_executors.journal import JournalError, Keys, OutcomeNotRecorded, StartInDoubt, _writer_thread

KEYS = st.sampled_from(["a", "b", "c", 4])
MOODS = st.sampled_from(
    ["accepts"] * 4 + ["refuses", "loses", "answers late", "interrupted before", "interrupted after"]
)
HOW = st.sampled_from(["end", "crash", "flush, then crash"])


class BookedService:
    """Starts what it is asked for once for each token, and knows what it should not have been asked for."""

    def __init__(self) -> None:
        self.moods: dict[Any, str] = {}
        self.ids: dict[Any, str] = {}  # the last of each key
        self.ends: dict[str, str] = {}  # "done", "odd", "failed" or "cancelled"
        self.tokens: dict[str, str] = {}
        self.mistakes: list[str] = []
        self.fails = False

    def start(self, key: Any, token: str | None = None) -> dict[str, Any]:
        mood = self.moods.get(key, "accepts")
        if mood == "refuses":
            raise SomeError("refused")
        if mood == "loses":
            raise StartInDoubt(key)
        if mood == "interrupted before":
            raise KeyboardInterrupt
        if token is None or token not in self.tokens:
            before = self.ids.get(key)
            if before is not None and self.ends.get(before) not in ("failed", "cancelled"):
                self.mistakes.append(f"{key} was started again")
            self.ids[key] = task_id = f"{key}-{len(self.ends)}-{len(self.tokens)}-{time.monotonic_ns()}"
            self.tokens[token or task_id] = task_id
        else:
            task_id = self.tokens[token]
        if mood == "answers late":
            raise StartInDoubt(key)
        if mood == "interrupted after":
            raise KeyboardInterrupt
        return {"id": task_id}

    def poll(self, descriptors: Any) -> None:
        if self.fails:
            raise SomeError("the network is down")
        for descriptor in descriptors:
            task_id = descriptor.result["id"]
            how = self.ends.get(task_id)
            if how == "done":
                descriptor.yield_result(f"{task_id} is done")
            elif how == "odd":
                descriptor.yield_result(object())
            elif how is not None:
                descriptor.yield_exception(SomeError(f"{task_id} {how}"))

    def cancel(self, result: dict[str, Any]) -> bool:
        self.ends.setdefault(result["id"], "cancelled")
        return self.ends[result["id"]] == "cancelled"

    def find(self, keys: list[Any]) -> dict[Any, Any]:
        return {key: {"id": self.ids[key]} for key in keys if key in self.ids}


class Programs(RuleBasedStateMachine):
    @initialize(policy=st.sampled_from(["fail", "start", "find"]), cancels=st.booleans(), retry_failed=st.booleans())
    def begin(self, policy: str, cancels: bool, retry_failed: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="keys-model-"))
        self.path = self.folder / "tasks.db"
        self.service = BookedService()
        self.policy = policy
        self.program: Program | None = None
        self.copies = 0
        self.futures: dict[Any, Future[Any]] = {}
        self.all_futures: list[Future[Any]] = []
        self.acknowledged: dict[Any, tuple[str, Any]] = {}
        self.is_full = False
        self.run(cancels, retry_failed, False)

    # -- programs -----------------------------------------------------------------------------------------------------

    def run(self, cancels: bool, retry_failed: bool, paced: bool) -> None:
        find = self.service.find if self.policy == "find" else None
        in_doubt = "start" if self.policy == "start" else "fail"
        self.retry_failed, self.cancels = retry_failed, cancels
        options: dict[str, Any] = {"batch_size": 2} if paced else {}
        self.program = Program(
            self.path,
            self.service,  # type: ignore[arg-type]
            Keys(in_doubt=in_doubt, find_fn=find, retry_failed=retry_failed),
            cancel_fn=self.service.cancel if cancels else None,
            default_interval=0.002,
            logger=logging.getLogger("quiet"),
            **options,
        )
        self.is_full = False
        self.submitted: set[Any] = set()

    def stop(self) -> None:
        assert self.program is not None
        self.repair()
        self.program.kill()
        self.program = None
        assert all(future.done() for future in self.all_futures)
        self.futures.clear()
        self.all_futures.clear()

    @rule(how=HOW, cancels=st.booleans(), retry_failed=st.booleans(), paced=st.booleans(), again=st.booleans())
    def run_another(self, how: str, cancels: bool, retry_failed: bool, paced: bool, again: bool) -> None:
        if how == "flush, then crash":
            self.flush()
        copy = self.path
        if how != "end":
            self.copies += 1
            copy = copy_of(self.path, f"copy-{self.copies}")
        self.stop()
        self.path = copy
        self.service.fails = False
        self.run(cancels, retry_failed, paced)
        if again:
            for key in self.service.ids:
                self.submit(key, "accepts")

    # -- tasks --------------------------------------------------------------------------------------------------------

    @rule(keys=st.sets(KEYS, min_size=1), mood=MOODS, flush=st.booleans())
    def submit_some(self, keys: set[Any], mood: str, flush: bool) -> None:
        for key in keys:
            self.submit(key, mood)
        if flush:
            self.flush()

    def submit(self, key: Any, mood: str) -> None:
        assert self.program is not None
        self.service.moods[key] = mood
        start = self.service.start if self.policy == "start" else (lambda name: self.service.start(name))
        try:
            future = self.program.executor.submit_once(key, start, key)
        except KeyboardInterrupt:
            return
        self.futures[key] = future
        self.all_futures.append(future)
        self.wait_until_decided(future)
        if key not in self.submitted:
            self.submitted.add(key)
            self.check_first(key, future)

    def wait_until_decided(self, future: Future[Any]) -> None:
        assert self.program is not None
        until = time.monotonic() + PATIENCE
        while not future.done() and all(future is not task.future for task in self.program.executor.outstanding()):
            assert time.monotonic() < until, "a future that nobody sees to"
            threading.Event().wait(0.0005)

    def check_first(self, key: Any, future: Future[Any]) -> None:
        """The first time that this program is asked for `key`."""
        state, value = self.acknowledged.get(key, ("", None))
        if state == "done":
            assert future.done()
            assert future.result() == value
        elif state == "odd":
            with pytest.raises(OutcomeNotRecorded):
                future.result(0)
        elif state == "failed" and not self.retry_failed:
            assert future.done()
            assert str(future.exception()) == value
        elif state == "started" and not self.is_full and not self.service.fails:
            if future.done():
                with contextlib.suppress(SomeError, OutcomeNotRecorded):
                    assert future.result() == f"{value} is done"
            else:
                assert self.service.ids[key] == value

    @rule(key=KEYS, how=st.sampled_from(["done", "done", "failed", "odd"]))
    def finish(self, key: Any, how: str) -> None:
        """The service is done with a task."""
        task_id = self.service.ids.get(key)
        if task_id is not None and task_id not in self.service.ends:
            self.service.ends[task_id] = how
            if self.acknowledged.get(key, ("", None))[0] == "started" and how != "done":
                del self.acknowledged[key]
        future = self.futures.get(key)
        if future is not None and not self.service.fails:
            with contextlib.suppress(Exception, KeyboardInterrupt):
                future.result(PATIENCE if self.ends_by_itself(future) else 0.0)

    def ends_by_itself(self, future: Future[Any]) -> bool:
        assert self.program is not None
        for task in self.program.executor.outstanding():
            if task.future is future:
                return task.result["id"] in self.service.ends
        return False

    @rule(key=KEYS)
    def cancel(self, key: Any) -> None:
        if (future := self.futures.get(key)) is not None and future.cancel() and self.cancels:
            self.acknowledged.pop(key, None)

    @rule(key=KEYS)
    def drop(self, key: Any) -> None:
        self.futures.pop(key, None)
        self.all_futures = [future for future in self.all_futures if not future.done()]

    @rule()
    def fail_polls(self) -> None:
        self.service.fails = not self.service.fails

    # -- the journal --------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.is_full)
    @rule()
    def fill_disk(self) -> None:
        assert self.program is not None

        def full(*changes: object) -> None:
            raise JournalError("the disk is full")

        self.is_full = True
        self.program.journal._file.write_all = full  # type: ignore[method-assign]

    @rule()
    def repair(self) -> None:
        if self.is_full:
            assert self.program is not None
            self.is_full = False
            del self.program.journal._file.write_all  # type: ignore[attr-defined]

    @rule()
    def flush(self) -> None:
        assert self.program is not None
        seen = dict(self.futures)
        polled = {id(task.future): task.result["id"] for task in self.program.executor.outstanding()}
        done = {key: future for key, future in seen.items() if future.done()}
        if not self.program.executor.flush_journal(0.02 if self.is_full else PATIENCE):
            assert self.is_full, "a flush that fails"
            return
        for key, future in seen.items():
            if key in done:
                self.note_done(key, future)
            elif self.service.ends.get(task_id := polled.get(id(future)), "done") == "done" and task_id is not None:
                # One that fails is polled once more, and fails, at any moment from now on, or did already.
                self.acknowledged[key] = "started", task_id

    def note_done(self, key: Any, future: Future[Any]) -> None:
        try:
            result = future.result(0)
        except OutcomeNotRecorded:
            self.acknowledged[key] = "odd", None
        except SomeError as error:
            if str(error) not in ("the network is down",) and "refused" not in str(error):
                self.acknowledged[key] = "failed", str(error)
        except (CancelledError, StartInDoubt, JournalError, KeyboardInterrupt):
            pass
        else:
            self.acknowledged[key] = ("done", result) if isinstance(result, str) else ("odd", None)

    @invariant()
    def nothing_is_started_twice(self) -> None:
        if hasattr(self, "service"):
            assert not self.service.mistakes

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if self.program is not None:
                self.stop()
            shutil.rmtree(self.folder)


def check(examples: int, steps: int) -> None:
    fast = {"SECONDS_TO_GATHER": 0.0005, "FIRST_PAUSE": 0.001, "LONGEST_PAUSE": 0.005, "PATIENCE": 0.05}
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    logging.getLogger("quiet").setLevel(logging.CRITICAL)
    with mock.patch.multiple(_writer_thread, **fast):
        run_state_machine_as_test(Programs, settings=chosen)  # type: ignore[no-untyped-call]


@pytest.mark.stress
def test_programs_do_as_the_model_says() -> None:
    check(examples=25, steps=25)


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_programs_do_as_the_model_says() -> None:
    check(examples=300, steps=40)
