"""Workers, schedulers and clients that are lost while calls go on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")
if os.name != "posix":
    pytest.skip("processes cannot be killed like that here", allow_module_level=True)

import dask_support
from dask_support import Cluster, cluster_of, echo, wait_until
from support import CHILD_PATIENCE, PATIENCE

from more_executors.dask import ClusterLost, DaskExecutor, WorkerLost
from more_executors.dask._pack import run_pack, worker_facts

pytestmark = pytest.mark.long  # each has a cluster of its own


@pytest.fixture
def mortal(tmp_path: Path, client: Any) -> Iterator[Cluster]:
    """A cluster of two workers that is this test's. There is a client of another, which keeps Dask's threads."""
    with cluster_of(tmp_path, 2) as cluster:
        yield cluster


@pytest.fixture
def made(mortal: Cluster) -> Iterator[Any]:
    """Makes executors, which are shut down before the cluster is."""
    executors: list[DaskExecutor] = []

    def make(**options: Any) -> DaskExecutor:
        executors.append(DaskExecutor(mortal.address, timeout=PATIENCE, **options))
        return executors[-1]

    yield make
    for executor in executors:
        executor.shutdown()


def end_scheduler(cluster: Cluster, executor: DaskExecutor) -> None:
    """From now on a short silence is a loss; before, it is a busy machine."""
    cluster.scheduler.kill()
    executor._dispatcher._connection._seconds = 0.5


def threads_of(executor: DaskExecutor) -> int:
    return executor._dispatcher._workers.threads()


def warm_up(executor: DaskExecutor, workers: int = 2) -> None:
    """Until all workers are known, and packs are large."""
    wait_until(lambda: executor.submit(echo).result(PATIENCE) == [] and threads_of(executor) == workers)
    for future in [executor.submit(echo, number) for number in range(3000)]:
        future.result(PATIENCE)


def test_a_call_that_kills_its_worker_is_said_to_have_been_lost(made: Any) -> None:
    executor = made()
    warm_up(executor)
    killer = executor.submit(dask_support.kill_yourself)
    error = killer.exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert "may have been made, or not" in str(error)
    assert executor.submit(echo, 1).result(PATIENCE) == 1


def test_what_is_lost_is_not_made_again(made: Any, mortal: Cluster, tmp_path: Path) -> None:
    executor = made()
    warm_up(executor)
    futures = [executor.submit(dask_support.wait_for, str(tmp_path / f"call-{number}")) for number in range(2)]
    wait_until(lambda: all((tmp_path / f"call-{number}").exists() for number in range(2)))
    victim = (tmp_path / "call-0").read_text()
    (tmp_path / "call-0").unlink()
    os.kill(int(victim), signal.SIGKILL)
    assert isinstance(futures[0].exception(PATIENCE), WorkerLost)
    (tmp_path / "call-1.go").touch()
    assert futures[1].result(PATIENCE)
    assert executor.submit(echo, 1).result(PATIENCE) == 1
    assert not (tmp_path / "call-0").exists()


def test_with_retries_it_is_made_again(made: Any, tmp_path: Path) -> None:
    executor = made(retries=1)
    warm_up(executor)
    future = executor.submit(dask_support.wait_for, str(tmp_path / "call"))
    wait_until((tmp_path / "call").exists)
    (tmp_path / "call.go").touch()
    victim = int((tmp_path / "call").read_text())
    os.kill(victim, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    assert future.result(PATIENCE)


def test_a_poison_call_takes_no_others_with_it(made: Any, mortal: Cluster) -> None:
    for _ in range(4):
        mortal.add_worker()
    executor = made(retries=1)
    warm_up(executor, 6)
    futures = [executor.submit(dask_support.kill_if, number, 123) for number in range(300)]
    error = futures[123].exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert [future.result(PATIENCE) for number, future in enumerate(futures) if number != 123] == [
        number for number in range(300) if number != 123
    ]


def test_without_a_scheduler_all_fail_and_no_more_are_taken(made: Any, mortal: Cluster, tmp_path: Path) -> None:
    executor = made()
    warm_up(executor)
    going = [executor.submit(dask_support.wait_for, str(tmp_path / f"call-{number}")) for number in range(4)]
    wait_until(lambda: sum(future.running() for future in going) >= 2)  # four, unless calls seemed to take long before
    waiting = [executor.submit(echo, number) for number in range(100)]
    end_scheduler(mortal, executor)
    for future in (*going, *waiting):
        assert isinstance(future.exception(PATIENCE), ClusterLost)
    with pytest.raises(ClusterLost):
        executor.submit(echo, 1)


def test_a_client_that_was_closed_takes_no_more(mortal: Cluster, tmp_path: Path) -> None:
    from distributed import Client

    client = Client(mortal.address, set_as_default=False)
    executor = DaskExecutor(client, timeout=PATIENCE)
    future = executor.submit(dask_support.wait_for, str(tmp_path / "call"))
    wait_until((tmp_path / "call").exists)
    client.close()
    assert isinstance(future.exception(PATIENCE), ClusterLost)
    with pytest.raises(ClusterLost):
        executor.submit(echo, 1)
    executor.shutdown()
    with pytest.raises(ClusterLost, match="the client of Dask is closed"):
        DaskExecutor(client)


def test_with_a_function_for_clients_it_goes_on_with_another_cluster(
    mortal: Cluster, tmp_path: Path, client: Any
) -> None:
    from distributed import Client

    (tmp_path / "second").mkdir()
    with cluster_of(tmp_path / "second", 1) as second:
        addresses = [second.address, mortal.address]
        with DaskExecutor(lambda: Client(addresses.pop(), set_as_default=False), timeout=PATIENCE) as executor:
            warm_up(executor)
            end_scheduler(mortal, executor)
            futures = [executor.submit(echo, number) for number in range(10)]
            for future in futures:
                assert future.exception(PATIENCE) is None or isinstance(future.exception(), ClusterLost)
            assert executor.submit(echo, 1).result(PATIENCE) == 1


def test_a_worker_without_the_library_gets_no_calls(tmp_path: Path, client: Any) -> None:
    (tmp_path / "more_executors.py").write_text("raise ImportError('there is no more_executors here')")
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker(PYTHONPATH=str(tmp_path))
        with DaskExecutor(cluster.address) as executor:
            error = executor.submit(echo, 1).exception(PATIENCE)
            assert isinstance(error, ClusterLost)
            assert "no worker can make calls" in str(error)
    finally:
        cluster.end()


def test_a_worker_of_another_version_gets_no_calls(
    client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("more_executors.dask._dispatcher.__version__", "0.1")
    with DaskExecutor(client) as executor:
        error = executor.submit(echo, 1).exception(PATIENCE)
    assert "and this is 0.1" in str(error)
    assert "gets no calls" in caplog.text


def test_a_pack_is_begun_once_and_on_the_worker_it_was_sent_to(client: Any) -> None:
    import cloudpickle

    address = next(iter(client.scheduler_info()["workers"]))

    def on_worker(*args: Any) -> Any:
        return client.submit(*args, workers=[address], pure=False).result(PATIENCE)

    _, worker = on_worker(worker_facts)
    encoded = cloudpickle.dumps(([(True, cloudpickle.dumps(echo))], [(0, 1, [1])]))
    assert on_worker(run_pack, "a pack", worker, encoded) is not None
    assert on_worker(run_pack, "a pack", worker, encoded) is None
    assert on_worker(run_pack, "another", "another worker", encoded) is None


def test_one_that_is_forgotten_at_the_end_of_a_program_says_nothing(mortal: Cluster) -> None:
    import subprocess

    program = f"""if True:
        from more_executors.dask import DaskExecutor
        executor = DaskExecutor({mortal.address!r}, timeout={PATIENCE})
        assert executor.submit(abs, -1).result({PATIENCE}) == 1
        futures = [executor.submit(abs, number) for number in range(10_000)]
    """
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=CHILD_PATIENCE)
    assert (ended.returncode, ended.stdout) == (0, "")
    # Dask has its client call something on a pool that the interpreter has ended by then, if the machine is busy.
    assert ended.stderr == "" or "cannot schedule new futures after shutdown" in ended.stderr


def test_a_forked_child_makes_no_calls(client: Any) -> None:
    executor = DaskExecutor(client)
    assert executor.submit(echo, 1).result(PATIENCE) == 1
    child = os.fork()
    if not child:
        try:
            executor.submit(echo, 1)
        except RuntimeError as error:
            os._exit(0 if "forked child" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    executor.shutdown()
