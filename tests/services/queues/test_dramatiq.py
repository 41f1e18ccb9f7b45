"""Dramatiq: what futures of messages give, by a broker and results in memory, with a worker where one is needed."""

from __future__ import annotations

import logging
import math
import threading
from typing import Any

import pytest
from queue_stand import Store, StoreTests, polled, polling
from support import PATIENCE

from more_executors.journal import StartInDoubt
from more_executors.services import Service
from more_executors.services.queues import DramatiqMessages, NothingHeard

dramatiq = pytest.importorskip("dramatiq", reason="needs the extra `dramatiq`")
StubBroker = pytest.importorskip("dramatiq.brokers.stub").StubBroker
StubBackend = pytest.importorskip("dramatiq.results.backends").StubBackend
results = pytest.importorskip("dramatiq.results")
Retries = pytest.importorskip("dramatiq.middleware").Retries
Missing = pytest.importorskip("dramatiq.results.backend").Missing


class StandIn(Store):
    """A broker in memory, and a store of results, which can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = StubBackend()
        self.backend.results = {}  # that of the class is for all
        self.broker = StubBroker(middleware=[Retries(max_retries=0), results.Results(backend=self.backend)])
        get = self.backend._get

        def answered(key: str) -> Any:
            self.check_is_there()
            found = Missing if key in self.left_out else get(key)
            self.wait_to_answer()
            return found

        self.backend._get = answered
        stored = {"broker": self.broker, "store_results": True}
        self.add = dramatiq.actor(lambda first, second: first + second, actor_name="add", **stored)
        self.none = dramatiq.actor(lambda: None, actor_name="none", **stored)
        self.fail = dramatiq.actor(lambda: {}["the key"], actor_name="fail", **stored)
        self.lock = dramatiq.actor(threading.Lock, actor_name="lock", **stored)
        self.short = dramatiq.actor(lambda: 1, actor_name="short", result_ttl=60_000, **stored)
        self.quiet = dramatiq.actor(lambda: 1, actor_name="quiet", broker=self.broker)

    def name(self, task: str) -> Any:
        queue, actor, message_id = task.split(":")
        return dramatiq.Message(queue, actor, (), {}, {}, message_id)

    def work(self) -> None:
        """Have a worker run all that is in the queue."""
        worker = dramatiq.Worker(self.broker, worker_timeout=10, worker_threads=1)
        worker.start()
        try:
            self.broker.join("default", fail_fast=False)
            worker.join()
        finally:
            worker.stop()

    def stored_under(self, task: str) -> Any:
        return self.backend.build_message_key(self.name(task))


@pytest.fixture(autouse=True)
def nothing_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest keeps of the log has tracebacks, and so what tests have."""
    for kind in ("WorkerThread", "ConsumerThread"):
        monkeypatch.setattr(logging.getLogger(f"dramatiq.worker.{kind}"), "disabled", True)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def messages(stand_in: StandIn) -> DramatiqMessages:
    made = DramatiqMessages(stand_in.broker)
    made.interval = 0.01
    return made


class TestTheKit(StoreTests):
    failure = results.ResultFailure
    stand_in: StandIn
    # It says nothing of a task that goes on, so there is nothing to forget: a test below has those it never hears of.
    test_a_task_that_the_service_forgets_fails_alone: Any = None
    test_the_last_task_that_is_outstanding_may_be_forgotten: Any = None

    def make_service(self) -> DramatiqMessages:
        self.stand_in = StandIn()
        made = DramatiqMessages(self.stand_in.broker, silent_after=math.inf)  # it says nothing of what goes on
        made.interval = 0.005
        return made

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> str:
        task: str = service.start(self.stand_in.add, 1, 2, tag=tag)
        return task

    def finish(self, task: str) -> str:
        self.stand_in.backend.store_result(self.stand_in.name(task), f"the result of {task}", 600_000)
        return f"the result of {task}"

    def fail(self, task: str) -> None:
        self.stand_in.backend.store_exception(self.stand_in.name(task), ValueError("no"), 600_000)

    def reuse(self, task: str) -> str:
        self.stand_in.backend.results.clear()
        return task


def test_messages_that_were_processed_end_as_they_ended(messages: DramatiqMessages, stand_in: StandIn) -> None:
    tasks = [
        messages.start(stand_in.add, 1, second=2),
        messages.start(stand_in.none),
        messages.start(stand_in.fail),
        messages.start(stand_in.add.message(3, 4)),
    ]
    stand_in.work()
    with polling(messages) as executor:
        added, none, failed, again = executor.adopt_many(tasks)
        assert added.result(PATIENCE) == 3
        assert none.result(PATIENCE) is None
        error = failed.exception(PATIENCE)
        assert isinstance(error, results.ResultFailure)
        assert (error.orig_exc_type, error.orig_exc_msg) == ("KeyError", "'the key'")
        assert again.result(PATIENCE) == 7


def test_what_could_not_be_encoded_fails_in_time_and_says_what_may_be(stand_in: StandIn) -> None:
    messages = DramatiqMessages(stand_in.broker, silent_after=0.05)
    messages.interval = 0.01
    task = messages.start(stand_in.lock)
    stand_in.work()
    with polling(messages) as executor:
        error = executor.adopt(task).exception(PATIENCE)
    assert isinstance(error, NothingHeard)
    assert "could not be encoded" in str(error)


def test_a_message_can_be_adopted(messages: DramatiqMessages, stand_in: StandIn) -> None:
    message = stand_in.add.send(2, 3)
    stand_in.work()
    with polling(messages) as executor:
        assert executor.adopt(message).result(PATIENCE) == 5


def test_what_is_no_message_fails_alone(messages: DramatiqMessages, stand_in: StandIn) -> None:
    with polling(messages) as executor:
        good = executor.adopt(messages.start(stand_in.add, 1, 2))
        polled(executor)
        for wrong, error in (("abc", ValueError), ("queue:actor", ValueError), (7, TypeError)):
            with pytest.raises(error, match=f"its 'queue:actor:id', not {wrong!r}"):
                executor.adopt(wrong).result(PATIENCE)
        stand_in.work()
        assert good.result(PATIENCE) == 3


def test_results_are_kept_for_a_day_or_as_the_actor_says(messages: DramatiqMessages, stand_in: StandIn) -> None:
    sent: list[Any] = []
    stand_in.broker.enqueue = sent.append
    assert messages.start(stand_in.add, 1, 2, tag="own-id") == "default:add:own-id"
    messages.start(stand_in.short)
    messages.start(stand_in.add.message_with_options(args=(1, 2), result_ttl=5))
    assert [message.options.get("result_ttl") for message in sent] == [86_400_000, None, 5]
    assert sent[0].message_id == "own-id"


def test_a_broker_that_is_lost_leaves_a_start_in_doubt(messages: DramatiqMessages, stand_in: StandIn) -> None:
    def lost(message: Any) -> None:
        raise dramatiq.errors.ConnectionClosed("lost")

    stand_in.broker.enqueue = lost
    with pytest.raises(StartInDoubt, match="the-tag"):
        messages.start(stand_in.add, 1, 2, tag="the-tag")


def test_what_has_no_result_is_not_sent(messages: DramatiqMessages, stand_in: StandIn) -> None:
    with pytest.raises(ValueError, match="quiet"):
        messages.start(stand_in.quiet)
    for wrong in (print, "add"):
        with pytest.raises(TypeError, match="actor"):
            messages.start(wrong)
    with pytest.raises(TypeError, match="actor"):
        messages.start(stand_in.add.message(1, 2), 3)


def test_results_must_be_kept() -> None:
    with pytest.raises(ValueError, match="Results"):
        DramatiqMessages(StubBroker(middleware=[]))


@pytest.mark.parametrize(
    ("options", "error"),
    [({"silent_after": -1}, ValueError), ({"result_ttl": "1"}, TypeError), ({"clock": 1}, TypeError)],
)
def test_options_are_checked(stand_in: StandIn, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        DramatiqMessages(stand_in.broker, **options)
    with pytest.raises(TypeError, match="broker"):
        DramatiqMessages("broker")
