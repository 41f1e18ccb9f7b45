"""What Slurm says of one job."""

from __future__ import annotations

from typing import NamedTuple

__all__: list[str] = []

# A job in any other state has ended, if the controller agrees. The last two are no states of Slurm's: see `JobRecord`.
GOES_ON = frozenset(
    {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "RESIZING", "REQUEUED", "REQUEUE_FED"}
    | {"REQUEUE_HOLD", "SPECIAL_EXIT", "SIGNALING", "STAGE_OUT", "STOPPED", "POWER_UP_NODE", "RESV_DEL_HOLD"}
    | {"EXPEDITING", "UPDATE_DB", "UNCONFIRMED", "UNRECORDED"}
)


class JobRecord(NamedTuple):
    """What Slurm says of a job, or of an element of an array.

    Args:
        job: its number, a str; of an element that of the array.
        element: of an element of an array its index, else None.
        cluster: the name of its cluster, or None for the one that commands use by default.
        state: as Slurm calls it, such as "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED" or "RUNNING". "UNCONFIRMED" if
            the database calls it ended, and the controller, which may be about to run it again, does not answer;
            "UNRECORDED" if the controller calls it ended, and the database does not have that yet.
        exit_code: what it ended with, 0 to 255; 0 if a signal ended it.
        signal: the number of the signal that ended it, or 0.
        exit_code_certain: whether `exit_code` is the one. The database takes 128 off of higher ones, and the
            controller, which does not, forgets a job some minutes after its end. If not, it may be 128 more.
        cancelled_by: the number of the user who cancelled it, or None.
        elapsed: seconds that it ran for.
        nodes: the nodes that it ran on, as Slurm writes lists of them: "n[1-3],n7". Empty before it has any.
        submitted, started, ended: seconds since 1970, or None. `submitted` is that of the last time that it was queued.

    All are attributes. They are numbers and text, so that a journal can keep a record, as a list: `JobRecord(*that)`.
    """

    job: str
    element: int | None
    cluster: str | None
    state: str
    exit_code: int = 0
    signal: int = 0
    exit_code_certain: bool = True
    cancelled_by: int | None = None
    elapsed: int = 0
    nodes: str = ""
    submitted: int | None = None
    started: int | None = None
    ended: int | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the job waits, runs, or will run again."""
        return self.state in GOES_ON

    def why(self) -> str:
        """How it ended, in words."""
        text = self.state if self.cancelled_by is None else f"{self.state} by user {self.cancelled_by}"
        if self.signal:
            return f"{text}, by signal {self.signal}"
        if not self.exit_code_certain:
            return f"{text}, exit code {self.exit_code or 128}" + (
                f" or {self.exit_code + 128}" if self.exit_code else " or none"
            )
        return f"{text}, exit code {self.exit_code}" if self.exit_code else text


JobRecord.__module__ = "more_executors.services.slurm"  # where everybody has it from
