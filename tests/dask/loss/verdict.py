"""What became of the keys of a run, by what the client says, beside the books of the service."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

IN_DOUBT = ("ShardLost", "StartInDoubt")
MODES = ("fail", "token", "find")

Account = dict[str, list[str]]
Books = dict[str, dict[str, list[str]]]


def is_settled(account: Account, tasks: int, mode: str, runs: int) -> bool:
    """Whether another run of the client could change nothing: what is in doubt stays so, and was seen to."""
    fine = {"done", "cancelled", *(IN_DOUBT if mode == "fail" and runs > 1 else ())}
    return len(account) == tasks and all(what in fine for what, _ in account.values())


@dataclass
class Verdict:
    """Of one run, or of the sum of several; `lost`, `twice`, `wrong` and `hung` must be 0."""

    tasks: int = 0
    times: int = 0
    runs: int = 0  # of the client
    resolved: int = 0
    before: list[Counter[str]] = field(default_factory=list)  # what failed in each run of the client but the last
    failed: Counter[str] = field(default_factory=Counter)  # what failed in the last
    lost: int = 0  # keys with a task at the service that nobody accounts for
    twice: int = 0  # keys for which two tasks were created, and not cancelled
    wrong: int = 0  # keys of which the client says what is not so
    hung: int = 0  # runs of the client that did not end with all futures done
    unsettled: int = 0  # keys that are not done, though they must be
    late: int = 0  # times that it was too late to do harm, as the client had ended
    seconds: float = 0.0

    def is_fine(self) -> bool:
        return not (self.lost or self.twice or self.wrong or self.hung or self.unsettled)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))


def judged(
    accounts: list[Account], books: Books, tasks: int, mode: str, is_harmless: bool = False, is_survived: bool = False
) -> Verdict:
    """Compare what the runs of a client say, of which the last counts, with what the service has.

    `is_harmless`: nothing may be in doubt. `is_survived`: where nothing stays in doubt, all is done in the first run.
    """
    last = accounts[-1]
    settled = accounts[0] if is_harmless or (is_survived and mode != "fail") else last
    verdict = Verdict(tasks=tasks, times=1, runs=len(accounts))
    verdict.before = [Counter(what for what, _ in account.values() if what != "done") for account in accounts[:-1]]
    verdict.failed.update(what for what, _ in last.values() if what != "done")
    may_end_as = {"done", "cancelled", *(IN_DOUBT if mode == "fail" and not is_harmless else ())}
    for key in {*last, *books}:
        what, detail = last.get(key, ("nothing", ""))
        entry = books.get(key, {"created": [], "cancelled": []})
        going_on = [task for task in entry["created"] if task not in entry["cancelled"]]
        verdict.twice += len(going_on) > 1
        verdict.resolved += what == "done"
        if what == "done":
            verdict.wrong += detail not in entry["created"]
        elif what not in IN_DOUBT:
            verdict.lost += bool(going_on)
    verdict.unsettled = sum(what not in may_end_as for what, _ in settled.values()) + tasks - len(settled)
    return verdict
