"""What is done to a run at some moment: a function for each kind."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from dask_support import wait_until
from processes import Client, Cluster, Service, Worker


class Scene(NamedTuple):
    """What there is to do harm to; all is decided by `moods`."""

    cluster: Cluster
    service: Service
    client: Client
    tasks: int
    lease: float
    moods: random.Random

    def wait_for_moment(self) -> None:
        """Wait until some part of the tasks was created, or has ended."""
        what = self.moods.choice(["created", "ended"])
        count = int(self.tasks * self.moods.uniform(0.02, 0.95))
        wait_until(lambda: not self.client.is_alive() or self.service.get("/progress")[what] >= count)
        time.sleep(self.moods.uniform(0, 0.05))

    def some_worker(self) -> Worker:
        return self.moods.choice(self.cluster.alive())


def nothing(scene: Scene) -> None:
    pass


def worker_killed(scene: Scene) -> None:
    scene.some_worker().process.kill()


def all_but_one_killed(scene: Scene) -> None:
    spared = scene.some_worker()
    for worker in scene.cluster.alive():
        if worker is not spared:
            worker.process.kill()


def worker_stopped(scene: Scene) -> None:
    """For longer than three leases: it is taken for lost meanwhile."""
    worker = scene.some_worker()
    worker.signal(signal.SIGSTOP)
    time.sleep(scene.lease * scene.moods.uniform(3.2, 5))
    worker.signal(signal.SIGCONT)


def worker_drained(scene: Scene) -> None:
    worker = scene.some_worker()
    scene.client.tell(f"drain {worker.address}")
    wait_until(lambda: not scene.client.is_alive() or any(line.startswith("drained") for line in scene.client.said))
    worker.signal(signal.SIGTERM)


def worker_added(scene: Scene) -> None:
    scene.cluster.add()


def scheduler_restarted(scene: Scene) -> None:
    """Its workers end by themselves; there are new ones."""
    scene.cluster.kill_scheduler()
    time.sleep(scene.moods.uniform(0, 1))
    scene.cluster.restart_scheduler()
    scene.cluster.add(3)


def scheduler_gone(scene: Scene) -> None:
    scene.cluster.kill_scheduler()


def client_killed(scene: Scene) -> None:
    scene.client.kill()


def client_stopped(scene: Scene) -> None:
    """For longer than the lease."""
    scene.client.process.send_signal(signal.SIGSTOP)
    time.sleep(scene.lease * scene.moods.uniform(1.2, 4))
    scene.client.process.send_signal(signal.SIGCONT)


def poison(scene: Scene) -> None:
    """One call kills each worker that makes it, and for each of the first of these there is a new one."""
    for _ in range(3):
        count = len(scene.cluster.alive())
        while scene.client.is_alive() and len(scene.cluster.alive()) >= count:
            time.sleep(0.05)
        if not scene.client.is_alive():
            return
        scene.cluster.add()


class Kind(NamedTuple):
    """`is_harmless`: it puts no start in doubt. `is_survived`: where starts in doubt are made again, nothing fails."""

    harm: Callable[[Scene], None]
    is_harmless: bool = False
    is_survived: bool = True
    has_moment: bool = True
    client_options: tuple[Any, ...] = ()


KINDS = {
    "nothing": Kind(nothing, True, has_moment=False),
    "a worker is added": Kind(worker_added, True),
    "a worker is drained, and ended": Kind(worker_drained, True),
    "a worker is killed": Kind(worker_killed),
    "all workers but one are killed": Kind(all_but_one_killed),
    "a worker is stopped for longer than three leases": Kind(worker_stopped),
    "a call kills its worker": Kind(poison, is_survived=False, has_moment=False),
    "the scheduler is killed, and another one comes": Kind(scheduler_restarted),
    "the scheduler is killed": Kind(scheduler_gone, is_survived=False, client_options=("--patience", 2)),
    "the client is killed": Kind(client_killed, is_survived=False),
    "the client is stopped for longer than a lease": Kind(client_stopped, True),
}
