"""One run: a cluster, a service and a client, to which something happens; and then the client until all is done."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import NamedTuple

from harms import KINDS, Scene
from processes import Client, Cluster, Service
from verdict import Verdict, is_settled, judged

MOST_RUNS = 4  # of the client


class Options(NamedTuple):
    kind: str
    mode: str
    tasks: int
    seed: int
    lease: float
    cancel: float


def run(options: Options, folder: Path) -> Verdict:
    """Returns what became of it. What the processes wrote is in `folder`."""
    moods = random.Random(f"{options}")
    began = time.monotonic()
    service = Service(options.mode == "token", options.seed)
    clusters = [Cluster(folder / "cluster-0", 3)]
    clients: list[Client] = []
    try:
        verdict = _run(options, folder, moods, service, clusters, clients)
        verdict.seconds = time.monotonic() - began
        return verdict
    finally:
        for client in clients:
            client.kill()
        for cluster in clusters:
            cluster.end()
        service.end()


def _run(
    options: Options,
    folder: Path,
    moods: random.Random,
    service: Service,
    clusters: list[Cluster],
    clients: list[Client],
) -> Verdict:
    kind = KINDS[options.kind]
    hung = 0
    accounts = []

    def begin(*more: object) -> Client:
        fixed = ("--tasks", options.tasks, "--lease", options.lease)
        where = (clusters[-1].address, service.port)
        clients.append(Client(folder, len(clients), *where, options.mode, *fixed, *more))
        return clients[-1]

    more: list[object] = ["--cancel", options.cancel, "--seed", options.seed, *kind.client_options]
    if options.kind == "a call kills its worker":
        victim = f'"key-{moods.randrange(options.tasks)}"'
        more += ["--poison", f"[{victim}, {moods.choice(['true', 'false'])}]"]
    client = begin(*more)
    scene = Scene(clusters[0], service, client, options.tasks, options.lease, moods)
    if kind.has_moment:
        scene.wait_for_moment()
    late = kind.has_moment and not client.is_alive()
    harmed_from = time.monotonic()
    kind.harm(scene)
    harmed_until = time.monotonic()
    while True:
        has_ended = client.end()
        accounts.append(client.account())
        hung += not has_ended and not client.was_killed
        if is_settled(accounts[-1], options.tasks, options.mode, len(accounts)) or len(accounts) == MOST_RUNS:
            break
        if not clusters[-1].has_scheduler() or not clusters[-1].alive():
            clusters.append(Cluster(folder / f"cluster-{len(clusters)}", 3))
        client = begin()
    books = service.get("/books")
    (folder / "books.json").write_text(json.dumps({"harmed": [harmed_from, harmed_until], "keys": books}))
    verdict = judged(accounts, books, options.tasks, options.mode, kind.is_harmless, kind.is_survived)
    verdict.hung = hung
    verdict.late = late
    return verdict
