"""Submitting jobs, and what is done about an answer that was lost."""

from __future__ import annotations

import pickle

import pytest
from fake_slurm import FakeSlurm

from more_executors import StartInDoubt, Throttled
from more_executors.services.slurm import (
    CommandResult,
    JobRefused,
    Slurm,
    SlurmError,
    SlurmUnavailable,
    SubmissionInDoubt,
)

FAILED = "sbatch: error: Batch job submission failed: "
LOST = [
    "Socket timed out on send/recv operation",
    "Zero Bytes were transmitted or received",
    "Connection reset by peer",
    "Unable to contact slurm controller (send failure)",
    "Unable to contact slurm controller (receive failure)",
    "Unexpected message received",
]


def test_a_script_with_options(fake: FakeSlurm, slurm: Slurm) -> None:
    assert slurm.start("align.sh", "a b", 7, tag="sample-1", mem="4G", exclusive=True) == "100"
    expected = ["--parsable", "--job-name=sample-1", "--mem=4G", "--exclusive", "--", "align.sh", "a b", "7"]
    assert fake.calls == [["sbatch", *expected]]


def test_a_command(fake: FakeSlurm, slurm: Slurm) -> None:
    assert slurm.start_command("a | b", mem="1G") == "100"
    assert slurm.start(wrap=["echo", "a b"]) == "101"
    assert fake.calls == [
        ["sbatch", "--parsable", "--mem=1G", "--wrap=a | b"],
        ["sbatch", "--parsable", "--wrap=echo 'a b'"],
    ]


def test_an_array_is_one_call(fake: FakeSlurm, slurm: Slurm) -> None:
    assert slurm.start_array("a.sh", "1-3,7%2", tag="t") == ["100_1", "100_2", "100_3", "100_7"]
    assert fake.calls == [["sbatch", "--parsable", "--job-name=t", "--array=1-3,7%2", "--", "a.sh"]]


def test_what_plugins_print_is_no_id(slurm: Slurm) -> None:
    for printed in ("Welcome!\n158;one\n", "158;one\n", "lua: 3 rules\n158;one \n"):
        assert Slurm(run=lambda *_, printed=printed: CommandResult(0, printed, "")).start("a.sh") == "158;one"


@pytest.mark.parametrize("code", [3, -15])
def test_a_job_whose_id_was_printed_is_accepted_whatever_sbatch_ends_with(code: int) -> None:
    """As with `#SBATCH --wait` in the script: sbatch waits for the job, and ends as that does."""
    assert Slurm(run=lambda *_: CommandResult(code, "158;one\n", "")).start("a.sh", tag="t") == "158;one"


@pytest.mark.parametrize("reason", LOST)
def test_a_job_that_was_accepted_although_the_answer_was_lost_is_found_by_its_tag(
    fake: FakeSlurm, slurm: Slurm, reason: str
) -> None:
    fake.sbatch_says = FAILED + reason
    assert slurm.start("a.sh", tag="sample-1") == "100"
    assert [name for name, *_ in fake.calls] == ["sbatch", "squeue", "sacct"]


@pytest.mark.parametrize("reason", LOST)
def test_a_job_that_cannot_be_found_is_in_doubt(fake: FakeSlurm, slurm: Slurm, reason: str) -> None:
    fake.sbatch_says, fake.sbatch_accepts = FAILED + reason, False
    with pytest.raises(SubmissionInDoubt) as caught:
        slurm.start("a.sh", tag="sample-1")
    assert isinstance(caught.value, StartInDoubt)
    assert caught.value.key == "sample-1"
    assert "a job with the tag 'sample-1'" in str(caught.value)
    assert reason in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.key, copy.why, str(copy)) == (caught.value.key, caught.value.why, str(caught.value))


def test_a_job_that_the_controller_accepts_later_is_found(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.sbatch_says, fake.sbatch_accepts = FAILED + LOST[0], False
    fake.slept = lambda _: fake.controller or fake.submit("sample-1")
    assert slurm.start("a.sh", tag="sample-1") == "100"


def test_a_job_of_the_same_tag_from_before_is_not_this_one(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit("sample-1")
    fake.now += 10
    fake.sbatch_says, fake.sbatch_accepts = FAILED + LOST[0], False
    with pytest.raises(SubmissionInDoubt):
        slurm.start("a.sh", tag="sample-1")
    fake.sbatch_accepts = True
    assert slurm.start("a.sh", tag="sample-1") == "101"


def test_a_job_without_a_tag_is_in_doubt_at_once(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.sbatch_says = FAILED + LOST[0]
    with pytest.raises(SubmissionInDoubt, match="a job without a tag") as caught:
        slurm.start("a.sh")
    assert caught.value.key is None
    assert len(fake.calls) == 1


def test_while_the_controller_stays_away_a_job_is_in_doubt(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.controller_away = LOST[0]
    with pytest.raises(SubmissionInDoubt):
        slurm.start("a.sh", tag="sample-1")
    assert [name for name, *_ in fake.calls] == ["sbatch"] + ["squeue"] * 3


@pytest.mark.parametrize("result", [CommandResult(-9, "", ""), CommandResult(0, "", ""), CommandResult(0, "ok\n", "")])
def test_a_sbatch_that_was_killed_or_says_no_id_is_in_doubt(result: CommandResult) -> None:
    with pytest.raises(SubmissionInDoubt, match=r"said: (nothing|ok)"):
        Slurm(run=lambda *_: result).start("a.sh")


def test_a_runner_that_raises_leaves_it_in_doubt() -> None:
    def run(command, variables):
        raise ConnectionError("ssh: lost")

    with pytest.raises(SubmissionInDoubt, match="ssh: lost"):
        Slurm(run=run).start("a.sh")


def test_without_sbatch_nothing_is_in_doubt() -> None:
    def run(command, variables):
        raise FileNotFoundError(2, "No such file or directory", command[0])

    with pytest.raises(SlurmError, match=r"sbatch: it cannot be run: .*'sbatch'"):
        Slurm(run=run).start("a.sh")


@pytest.mark.parametrize(
    "said",
    [
        FAILED + "Requested node configuration is not available",
        FAILED + "Invalid partition name specified",
        "sbatch: error: Unable to open file a.sh",
        # of which a part of the text is as that of a lost answer
        "sbatch: error: Unable to open file timed out.sh",
    ],
)
def test_a_job_that_is_refused_was_not_started(fake: FakeSlurm, slurm: Slurm, said: str) -> None:
    fake.sbatch_says, fake.sbatch_accepts = said, False
    with pytest.raises(JobRefused) as caught:
        slurm.start("a.sh", tag="t", export="TOKEN=secret")
    assert str(caught.value) == f"sbatch ended with 1 and said: {said}"
    assert len(fake.calls) == 1


def test_a_slurm_that_is_full_or_away_is_tried_again(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.sbatch_says, fake.sbatch_accepts = FAILED + "Resource temporarily unavailable", False
    with pytest.raises(Throttled):
        slurm.start("a.sh", tag="t")
    fake.sbatch_says = FAILED + "Unable to contact slurm controller (connect failure)"
    with pytest.raises(SlurmUnavailable):
        slurm.start("a.sh", tag="t")
    assert len(fake.calls) == 2


@pytest.mark.parametrize("tag", ["", "a b", "a,b", "a|b", "x" * 65, "ä", "a\n"])
def test_a_tag_that_could_not_be_found_is_refused(fake: FakeSlurm, slurm: Slurm, tag: str) -> None:
    with pytest.raises(ValueError, match="tag must be 1 to 64 letters"):
        slurm.start("a.sh", tag=tag)
    with pytest.raises(TypeError, match="tag must be a str"):
        slurm.start("a.sh", tag=7)  # type: ignore[arg-type]
    assert not fake.calls


def test_a_tag_is_the_name(fake: FakeSlurm, slurm: Slurm) -> None:
    with pytest.raises(ValueError, match="job_name cannot be given with a tag"):
        slurm.start("a.sh", tag="t", job_name="other")
    slurm.start("a.sh", job_name="other")
    assert fake.controller["100"].name == "other"


def test_an_array_that_is_none_starts_nothing(fake: FakeSlurm, slurm: Slurm) -> None:
    for array in ("3-1", "", "1,1", "a"):
        with pytest.raises(ValueError, match="array must"):
            slurm.start_array("a.sh", array)
    assert not fake.calls


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"cluster": "a,b"}, ValueError),
        ({"cluster": 7}, TypeError),
        ({"interval": -1}, ValueError),
        ({"timeout": "x"}, TypeError),
        ({"run": 7}, TypeError),
        ({"environment": 7}, TypeError),
        ({"environment": {"A": 1}}, TypeError),
    ],
)
def test_bad_arguments(arguments: dict[str, object], error: type[Exception]) -> None:
    [name] = arguments
    with pytest.raises(error, match=name):
        Slurm(**arguments)  # type: ignore[arg-type]


def test_no_secret_is_in_an_error_about_the_environment() -> None:
    with pytest.raises(TypeError) as caught:
        Slurm(environment={"TOKEN": b"secret"})  # type: ignore[dict-item]
    assert "secret" not in str(caught.value)
