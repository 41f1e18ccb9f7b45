"""Ten thousand results in a real Redis as futures: how many requests that takes, and how many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from redis_support import calls_of, redis_server
from support import CHILD_PATIENCE

from more_executors import Executors
from more_executors.services.queues import CeleryTasks, DramatiqMessages, HueyTasks, RqJobs

redis = pytest.importorskip("redis", reason="needs the extra `queues`")

MANY = 10_000
IDS = [f"many-{number}" for number in range(MANY)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    with redis.Redis.from_url(url) as client:
        client.flushall()
        yield client


def waited_for(tasks: Any, client: Any, *commands: str, expected: Any, ids: Any = IDS, each: bool = False) -> None:
    """All of them are waited for with 10 requests in a round, and no more than two threads.

    Where Redis has no request for many, a round trip has one for `each` of a thousand.
    """
    tasks.interval = 3600.0
    threads = threading.active_count()
    before = calls_of(client, *commands)
    with Executors.sync().with_poll(tasks) as executor:
        futures = executor.adopt_many(ids)
        assert threading.active_count() <= threads + 2
        assert [future.result(CHILD_PATIENCE) for future in futures] == expected
    calls = executor.stats().calls  # now that the last one has returned and is counted
    assert calls <= 12  # a round, and what had joined when the first call began
    assert calls_of(client, *commands) - before <= (len(commands) * MANY if each else calls)


def test_celery(url: str, client: Any) -> None:
    celery = pytest.importorskip("celery")
    app = celery.Celery("tests", broker="memory://", backend=url, set_as_current=False)
    backend = app.backend
    stored = [
        {"status": "SUCCESS", "result": number, "traceback": None, "children": [], "task_id": task_id}
        for number, task_id in enumerate(IDS)
    ]
    client.mset({backend.get_key_for_task(meta["task_id"]): backend.encode(meta) for meta in stored})
    waited_for(CeleryTasks(app), client, "mget", "get", expected=list(range(MANY)))
    app.close()
    backend.client.close()


def test_rq(client: Any) -> None:
    rq = pytest.importorskip("rq")
    job, result = pytest.importorskip("rq.job").Job, pytest.importorskip("rq.results").Result
    with client.pipeline() as pipe:
        for number, job_id in enumerate(IDS):
            pipe.hset(job.key_for(job_id), "status", "finished")
            result(job_id, result.Type.SUCCESSFUL, client, return_value=number).save(600, pipeline=pipe)
        pipe.execute()
    jobs = RqJobs(rq.Queue(connection=client))
    waited_for(jobs, client, "hmget", "xrevrange", expected=list(range(MANY)), each=True)


@pytest.mark.parametrize("kind", ["RedisHuey", "RedisExpireHuey"])
def test_huey(url: str, client: Any, kind: str) -> None:
    huey = getattr(pytest.importorskip("huey"), kind)("tests", url=url, store_none=True)
    with client.pipeline() as pipe:
        huey.storage.conn, conn = pipe, huey.storage.conn
        for number, task_id in enumerate(IDS):
            huey.put_result(task_id, number)
        pipe.execute()
    huey.storage.conn = conn
    waited_for(HueyTasks(huey), client, "hmget", "mget", "hget", "get", expected=list(range(MANY)))
    assert huey.result_count() == MANY  # they are still there
    conn.close()


def test_dramatiq(url: str, client: Any) -> None:
    dramatiq = pytest.importorskip("dramatiq")
    results = pytest.importorskip("dramatiq.results")
    backend = pytest.importorskip("dramatiq.results.backends.redis").RedisBackend(client=client)
    broker = pytest.importorskip("dramatiq.brokers.stub").StubBroker(middleware=[results.Results(backend=backend)])
    ids = [f"default:add:{task_id}" for task_id in IDS]
    with client.pipeline() as pipe:
        for number, task_id in enumerate(IDS):
            message = dramatiq.Message("default", "add", (), {}, {}, task_id)
            pipe.lpush(backend.build_message_key(message), backend.encoder.encode(number))
        pipe.lpush(backend.build_message_key(dramatiq.Message("default", "fail", (), {}, {}, "f")), FAILURE)
        pipe.execute()
    messages = DramatiqMessages(broker)
    waited_for(messages, client, "lindex", expected=list(range(MANY)), ids=ids, each=True)
    with Executors.sync().with_poll(messages) as executor:
        error = executor.adopt("default:fail:f").exception(CHILD_PATIENCE)
    assert isinstance(error, results.ResultFailure)
    assert str(error) == "actor raised ValueError: no"


FAILURE = b'{"__t": "dramatiq.results.Result", "exn": {"type": "ValueError", "msg": "no"}}'
