"""Celery: what futures of tasks give, by the stores that Celery has in memory, and a stand-in for its workers."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from queue_stand import Store, StoreTests, polled, polling
from support import PATIENCE

from more_executors.journal import StartInDoubt
from more_executors.services import Service, TaskFailed, tag_of
from more_executors.services.queues import CeleryTasks, NothingHeard, RemoteTraceback

celery = pytest.importorskip("celery", reason="needs the extra `celery`")
TaskRevokedError = pytest.importorskip("celery.exceptions").TaskRevokedError


def new_app(**settings: Any) -> Any:
    app = celery.Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(task_publish_retry=False, **settings)

    @app.task(name="add", shared=False)
    def add(first: int, second: int) -> int:
        return first + second

    @app.task(name="quiet", ignore_result=True, shared=False)
    def quiet() -> None:
        pass

    return app


class StandIn(Store):
    """The store of results of an app, which can be away; and workers that do what they are told."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app
        self.store = app.backend
        self.revoked: list[str] = []
        self.requests = 0
        client = self.store.client
        client.cache.clear()  # one for all apps
        get_multi = client.get_multi

        def answered(keys: list[bytes]) -> dict[bytes, bytes]:
            self.check_is_there()
            self.requests += 1
            found = {key: value for key, value in get_multi(keys).items() if key not in self.left_out}
            self.wait_to_answer()
            return found

        client.get_multi = answered
        app.control.broadcast = self.tell_workers

    def tell_workers(self, command: str, arguments: dict[str, Any], **_: Any) -> None:
        assert command == "revoke"
        for task_id in arguments["task_id"]:
            self.revoked.append(task_id)
            self.store.mark_as_revoked(task_id, "revoked")

    def stored_under(self, task: str) -> Any:
        return self.store.get_key_for_task(task)


@pytest.fixture
def app() -> Any:
    return new_app()


@pytest.fixture
def stand_in(app: Any) -> StandIn:
    return StandIn(app)


@pytest.fixture
def tasks(app: Any, stand_in: StandIn) -> CeleryTasks:
    made = CeleryTasks(app)
    made.interval = 0.01
    return made


class TestTheKit(StoreTests):
    states_that_go_on = ("RECEIVED", "STARTED", "RETRY", "PROGRESS")
    failure: Any = (ValueError, TaskRevokedError)
    stand_in: StandIn

    def make_service(self) -> CeleryTasks:
        self.stand_in = StandIn(new_app())
        made = CeleryTasks(self.stand_in.app, silent_after=0.5)
        made.interval = 0.005
        return made

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> str:
        task_id: str = service.start("add", 1, 2, tag=tag)
        self.stand_in.store.store_result(task_id, None, "STARTED")
        return task_id

    def executor(self, service: Any, **options: Any) -> Any:
        service.missing_after = None if service.missing_after is None else 0.5
        service.silent_after = math.inf  # while the kit looks what others do
        return super().executor(service, **options)

    def finish(self, task: str) -> str:
        self.stand_in.store.store_result(task, f"the result of {task}", "SUCCESS")
        return f"the result of {task}"

    def fail(self, task: str) -> None:
        self.stand_in.store.store_result(task, ValueError("no"), "FAILURE")

    def forget(self, task: str) -> None:
        self.stand_in.store.forget(task)

    def go_on(self, task: str, state: str) -> None:
        self.stand_in.store.store_result(task, ValueError("again") if state == "RETRY" else {"current": 1}, state)

    def is_cancelled(self, task: str) -> bool:
        return task in self.stand_in.revoked

    def reuse(self, task: str) -> str:
        self.stand_in.store.forget(task)
        return task


def test_a_task_that_returned_none_is_done(tasks: CeleryTasks, stand_in: StandIn) -> None:
    stand_in.store.store_result("none", None, "SUCCESS")
    with polling(tasks) as executor:
        assert executor.adopt("none").result(PATIENCE) is None


def test_an_async_result_can_be_adopted(tasks: CeleryTasks, stand_in: StandIn, app: Any) -> None:
    result = app.AsyncResult("adopted")
    stand_in.store.store_result(result.id, 5, "SUCCESS")
    with polling(tasks) as executor:
        assert executor.adopt(result).result(PATIENCE) == 5


def test_an_error_has_its_class_and_text_and_the_traceback_of_the_worker(tasks: CeleryTasks, stand_in: StandIn) -> None:
    stand_in.store.store_result("known", KeyError("a", 1), "FAILURE", traceback="Traceback …\nKeyError: a")
    with polling(tasks) as executor:
        error = executor.adopt("known").exception(PATIENCE)
    assert type(error) is KeyError
    assert error.args == ("a", 1)
    assert isinstance(error.__cause__, RemoteTraceback)
    assert "KeyError: a" in str(error.__cause__)


def test_an_error_whose_class_is_not_here_has_its_name_and_text(tasks: CeleryTasks, stand_in: StandIn) -> None:
    class OnlyThereError(Exception):
        pass

    OnlyThereError.__module__ = "worker.only"
    stand_in.store.store_result("strange", OnlyThereError("the text"), "FAILURE")
    with polling(tasks) as executor:
        error = executor.adopt("strange").exception(PATIENCE)
    assert "OnlyThereError" in type(error).__qualname__
    assert str(error) == "the text"


def test_a_failure_without_an_exception_is_one(tasks: CeleryTasks, stand_in: StandIn) -> None:
    stand_in.store.store_result("odd", None, "FAILURE")
    with polling(tasks) as executor:
        assert isinstance(executor.adopt("odd").exception(PATIENCE), TaskFailed)


def test_a_record_that_cannot_be_read_concerns_its_own_task(tasks: CeleryTasks, stand_in: StandIn) -> None:
    stand_in.store.store_result("by hand", {"reason": "no"}, "FAILURE")  # as a task may, by `update_state`
    stand_in.store.store_result("fine", 1, "SUCCESS")
    with polling(tasks) as executor:
        odd, fine = executor.adopt_many(["by hand", "fine"])
        assert fine.result(PATIENCE) == 1
        assert isinstance(odd.exception(PATIENCE), ValueError)


def test_an_empty_id_fails_alone(tasks: CeleryTasks, stand_in: StandIn, app: Any) -> None:
    with polling(tasks) as executor:
        good = executor.adopt("good")
        with pytest.raises(ValueError, match="not empty"):
            executor.adopt("").result(PATIENCE)
        polled(executor)
        app.backend.store_result("good", 3, "SUCCESS")
        assert good.result(PATIENCE) == 3


def test_a_task_that_nothing_is_heard_of_fails_in_time_and_says_what_may_be(app: Any, stand_in: StandIn) -> None:
    tasks = CeleryTasks(app, silent_after=0.05)
    tasks.interval = 0.01
    with polling(tasks) as executor:
        error = executor.adopt("never heard of").exception(PATIENCE)
    assert isinstance(error, NothingHeard)
    assert error.task_id == "never heard of"
    assert error.seconds >= 0.05
    assert "expired" in str(error)


def test_a_task_that_is_started_all_the_time_fails_but_not_one_that_makes_progress(app: Any, stand_in: StandIn) -> None:
    now = [0.0]
    tasks = CeleryTasks(app, silent_after=100.0, clock=lambda: now[0])
    tasks.interval = 0.01
    for task_id in ("stuck", "moving"):
        stand_in.store.store_result(task_id, {"current": 0}, "STARTED")
    with polling(tasks) as executor:
        stuck, moving = executor.adopt_many(["stuck", "moving"])
        polled(executor)
        now[0] = 60.0
        stand_in.store.store_result("moving", {"current": 1}, "STARTED")
        polled(executor)
        assert not stuck.done()
        now[0] = 100.0
        error = stuck.exception(PATIENCE)
        assert isinstance(error, NothingHeard)
        assert "STARTED" in str(error)
        polled(executor)
        assert not moving.done()
        stand_in.store.store_result("moving", 7, "SUCCESS")
        assert moving.result(PATIENCE) == 7
    assert len(tasks._unchanged) == 0


def test_what_a_task_tells_of_itself_is_reported(tasks: CeleryTasks, stand_in: StandIn) -> None:
    stand_in.store.store_result("moving", {"current": 1, "total": 4}, "PROGRESS")
    stand_in.store.store_result("odd", {"current": "half", "total": 4}, "STARTED")
    with polling(tasks) as executor:
        futures = executor.adopt_many(["moving", "odd"])
        polled(executor)
        told = {task.result: (task.state, task.progress) for task in executor.outstanding()}
        assert told == {"moving": ("progress", 0.25), "odd": ("started", None)}
        for task_id in ("moving", "odd"):
            stand_in.store.store_result(task_id, 1, "SUCCESS")
        assert [future.result(PATIENCE) for future in futures] == [1, 1]


def test_a_revoke_that_no_worker_answers_cancels_nothing(app: Any, stand_in: StandIn) -> None:
    tasks = CeleryTasks(app, cancel_patience=0.02)
    told: list[Any] = []
    app.control.broadcast = lambda command, arguments, **_: told.append(arguments)
    stand_in.store.store_result("ended", 1, "SUCCESS")
    assert tasks.cancel_many(["waits", "ended"]) == [False, False]
    assert [one["task_id"] for one in told] == [["waits"]]
    assert [one["terminate"] for one in told] == [False]


def test_a_task_that_was_started_before_it_was_revoked_ends_as_it_ends(app: Any, stand_in: StandIn) -> None:
    tasks = CeleryTasks(app, cancel_patience=PATIENCE)
    tasks.interval = 0.01

    def ends_all_the_same(command: str, arguments: dict[str, Any], **_: Any) -> None:
        stand_in.store.store_result("runs", "the end", "SUCCESS")

    app.control.broadcast = ends_all_the_same
    with polling(tasks) as executor:
        future = executor.adopt("runs")
        assert not future.cancel()
        assert future.result(PATIENCE) == "the end"


def test_terminate_is_what_was_asked_for(app: Any, stand_in: StandIn) -> None:
    told: list[Any] = []
    app.control.broadcast = lambda command, arguments, **_: told.append(arguments)
    CeleryTasks(app, terminate=True, cancel_patience=0).cancel("runs")
    assert told[0]["terminate"] is True


def test_what_is_sent_is_what_was_given(tasks: CeleryTasks, app: Any) -> None:
    sent: list[Any] = []
    app.amqp.send_task_message = lambda producer, name, message, **options: sent.append((name, message, options))
    add = app.tasks["add"]
    assert tasks.start(add, 1, second=2, tag="own-id") == "own-id"
    tasks.start("add", 3, 4)
    tasks.start(add.s(5).set(queue="slow"), 6)
    (name, first, _), (_, second, _), (_, third, options) = sent
    assert name == "add"
    assert first.headers["id"] == "own-id"
    assert first.body[:2] == ((1,), {"second": 2})
    assert tuple(second.body[0]) == (3, 4)
    assert tuple(third.body[0]) == (6, 5)
    assert getattr(options["queue"], "name", options["queue"]) == "slow"


def test_a_task_in_doubt_is_found_if_there_is_a_record_of_it_and_stays_in_doubt_otherwise(
    tasks: CeleryTasks, stand_in: StandIn
) -> None:
    stand_in.store.store_result("runs", None, "STARTED")
    stand_in.store.store_result(tag_of(["has", "ended"]), 1, "SUCCESS")
    found = tasks.find(["runs", ("has", "ended"), "in its queue?"])
    assert isinstance(found.pop("in its queue?"), StartInDoubt)
    assert found == {"runs": "runs", ("has", "ended"): tag_of(["has", "ended"])}


def test_a_broker_that_is_lost_leaves_a_start_in_doubt(tasks: CeleryTasks, app: Any) -> None:
    from kombu.exceptions import OperationalError

    def lost(*_: Any, **__: Any) -> None:
        raise OperationalError("connection reset")

    app.amqp.send_task_message = lost
    with pytest.raises(StartInDoubt, match="the-tag"):
        tasks.start("add", 1, 2, tag="the-tag")


@pytest.mark.parametrize(
    ("task", "error", "text"),
    [(print, TypeError, "print"), ("quiet", ValueError, "ignore"), (None, TypeError, "None")],
)
def test_what_cannot_be_waited_for_is_not_sent(
    tasks: CeleryTasks, task: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        tasks.start(task)


def test_a_group_is_not_sent(tasks: CeleryTasks, app: Any) -> None:
    with pytest.raises(TypeError, match="chord"):
        tasks.start(celery.group(app.tasks["add"].s(1, 2), app.tasks["add"].s(3, 4)))


def test_an_eager_app_must_store_results() -> None:
    app = new_app(task_always_eager=True)
    tasks = CeleryTasks(app)
    with pytest.raises(ValueError, match="task_store_eager_result"):
        tasks.start("add", 1, 2)
    app = new_app(task_always_eager=True, task_store_eager_result=True)
    tasks = CeleryTasks(app)
    tasks.interval = 0.01
    with polling(tasks) as executor:
        assert executor.submit(tasks.start, app.tasks["add"], 1, 2).result(PATIENCE) == 3


@pytest.mark.parametrize("backend", ["disabled://", "rpc://"])
def test_results_must_be_there_for_everybody(backend: str) -> None:
    app = celery.Celery("tests", broker="memory://", backend=backend, set_as_current=False)
    with pytest.raises(ValueError, match="result backend"):
        CeleryTasks(app)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"silent_after": -1}, ValueError),
        ({"silent_after": "1"}, TypeError),
        ({"cancel_patience": math.nan}, ValueError),
        ({"clock": 1}, TypeError),
    ],
)
def test_options_are_checked(app: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        CeleryTasks(app, **options)
    with pytest.raises(TypeError, match="app"):
        CeleryTasks("app")


def test_results_are_waited_for_as_long_as_they_are_kept() -> None:
    assert CeleryTasks(new_app(result_expires=60)).silent_after == 60.0
    assert CeleryTasks(new_app(result_expires=None)).silent_after == 86_400.0
    assert CeleryTasks(new_app()).silent_after == 86_400.0


def test_a_store_without_a_request_for_many_is_asked_one_by_one(tmp_path: Any) -> None:
    backend = f"file://{tmp_path}"
    app = celery.Celery("tests", broker="memory://", backend=backend, set_as_current=False)
    tasks = CeleryTasks(app)
    tasks.interval = 0.01
    app.backend.store_result("one", 1, "SUCCESS")
    app.backend.store_result("two", ValueError("no"), "FAILURE")
    with polling(tasks) as executor:
        one, two, three = executor.adopt_many(["one", "two", "three"])
        assert one.result(PATIENCE) == 1
        assert isinstance(two.exception(PATIENCE), ValueError)
        assert not three.done()
        app.backend.store_result("three", 3, "SUCCESS")
        assert three.result(PATIENCE) == 3


def test_thousands_are_asked_about_by_a_request_for_a_thousand(app: Any, stand_in: StandIn) -> None:
    tasks = CeleryTasks(app)
    tasks.interval = 3600.0
    ids = [f"many-{number}" for number in range(4000)]
    for task_id in ids:
        stand_in.store.store_result(task_id, task_id, "SUCCESS")
    threads = threading.active_count()
    with polling(tasks) as executor:
        futures = executor.adopt_many(ids)
        assert threading.active_count() <= threads + 2
        assert [future.result(PATIENCE) for future in futures] == ids
    assert stand_in.requests <= 5


def test_without_celery_it_says_what_to_install(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "celery"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(ImportError, match=r"more-executors\[celery\]"):
        CeleryTasks(app)
