"""A real Slurm of four nodes under loopback, without systemd and in one folder: started, stopped and broken at will.

    python cluster.py install         # by apt-get; the services of the packages are not started
    python cluster.py start FOLDER    # about ten seconds; prints what to set so that clients find it
    python cluster.py stop FOLDER

It needs root: slurmd starts jobs as those who submit them. The packages of Debian and Ubuntu are known to do.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL

PACKAGES = ["slurmctld", "slurmd", "slurmdbd", "slurm-client", "slurm-wlm-mysql-plugin", "mariadb-server", "munge"]
NODES = ["n1", "n2", "n3", "n4"]
PROGRAMS = ["munged", "mariadbd", "slurmdbd", "slurmctld", *NODES]  # in the order in which they are started
PATIENCE = 60  # seconds
SUBMITTER = "nobody"

SLURM = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SwitchType=switch/none
ReturnToService=2
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/%n.log
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MinJobAge={remembered}
MaxJobCount={most_jobs}
KillWait=2
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting_port}
AccountingStoragePass={folder}/munge/socket
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
{nodes}
PartitionName=plain Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP PreemptMode=off
PartitionName=flaky Nodes=n3 MaxTime=INFINITE State=UP PreemptMode=off
PartitionName=low Nodes=n4 PriorityTier=1 PreemptMode=requeue State=UP
PartitionName=high Nodes=n4 PriorityTier=10 PreemptMode=off State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=8000 State=UNKNOWN"
ACCOUNTING = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={accounting_port}
SlurmUser=root
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
"""
GRANTS = """\
create database if not exists slurm_acct_db;
create user if not exists slurm@localhost identified by 'slurm';
create user if not exists slurm@'127.0.0.1' identified by 'slurm';
grant all on slurm_acct_db.* to slurm@localhost;
grant all on slurm_acct_db.* to slurm@'127.0.0.1';
"""


def why_not() -> str | None:
    """What this machine lacks for a cluster, or None."""
    if sys.platform != "linux":
        return "Slurm runs on Linux only"
    if os.geteuid() != 0:
        return "a cluster is started by root only"
    if missing := [
        name
        for name in ["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct"]
        if shutil.which(name, path=path()) is None
    ]:
        return f"not installed: {', '.join(missing)}; `apt-get install {' '.join(PACKAGES)}`, or `make real` as root"
    return None


def path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


def install() -> None:
    """Install the packages, without starting what they would start."""
    policy = Path("/usr/sbin/policy-rc.d")
    if here := not policy.exists():
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=True, env=environment)
        options = ["-qy", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        subprocess.run(["apt-get", "install", *options, *PACKAGES], check=True, env=environment)
    finally:
        if here:
            policy.unlink()


class Cluster:
    """A cluster in `folder`, which everybody must be able to reach. `start` starts all of it, or what is down.

    Args:
        remembered: the seconds for which the controller remembers a job that has ended (MinJobAge).
        most_jobs: as many does it remember at a time (MaxJobCount).
    """

    def __init__(self, folder: Path, *, cpus: int = 64, remembered: int = 300, most_jobs: int = 60_000) -> None:
        self.folder = folder.resolve()
        self.host = socket.gethostname().partition(".")[0]
        self.cpus = cpus
        self.remembered = remembered
        self.most_jobs = most_jobs
        self._database: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH"))},
            "PATH": path(),
            "SLURM_CONF": str(self.folder / "etc/slurm.conf"),
            "LC_ALL": "C.UTF-8",
        }

    def start(self, *programs: str) -> None:
        """Start these programs, by default all, and wait until they answer. Those that are up stay so."""
        if not (self.folder / "etc/slurm.conf").exists():
            self._configure()
        for name in programs or PROGRAMS:
            if self.pid(name) is None:
                if name in NODES:
                    self._start_node(name)
                else:
                    getattr(self, f"_start_{name}")()

    def stop(self, *programs: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End these programs, by default all, and wait until they have ended."""
        for name in programs or reversed(PROGRAMS):
            if (pid := self.pid(name)) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
                    os.kill(pid, how)
                self._wait(f"{name} to end", lambda pid=pid: not runs(pid))  # type: ignore[misc]
                if name == "mariadbd" and self._database is not None:
                    self._database.wait()

    def hold(self, program: str) -> None:
        """Have a program hang, until `release`."""
        os.kill(self._pid_of(program), signal.SIGSTOP)

    def release(self, program: str) -> None:
        os.kill(self._pid_of(program), signal.SIGCONT)

    def restart(self, *programs: str) -> None:
        self.stop(*programs)
        self.start(*programs)

    def state(self, node: str) -> str:
        """The state of a node, as sinfo says it."""
        return self.admin("sinfo", "-h", "-n", node, "-o", "%T").split("\n")[0].strip("*~#!$@+^- ")

    def fail(self, node: str) -> None:
        """Have the controller take a node for down, with which its jobs fail."""
        self.admin("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def resume(self, node: str) -> None:
        """Have the node back, as it may be by itself."""
        if self.state(node) in ("down", "drained", "draining"):
            self._answers("scontrol", "update", f"nodename={node}", "state=resume")
        self._wait(node, lambda: self.state(node) in ("idle", "mixed", "allocated"))

    def admin(self, *command: str) -> str:
        """What a command prints that root gives."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def user(self, *command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user without any rights, in the folder "work"."""
        done = subprocess.run(
            command,
            env={**self.environment, **variables},
            cwd=self.folder / "work",
            user=SUBMITTER,
            group=pwd.getpwnam(SUBMITTER).pw_gid,
            extra_groups=[],
            stdin=DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
        )
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def pid(self, program: str) -> int | None:
        """The id of its process, if it runs."""
        with suppress(FileNotFoundError, ValueError):
            pid = int((self.folder / f"run/{program}.pid").read_text())
            return pid if runs(pid) else None
        return None

    def _pid_of(self, program: str) -> int:
        pid = self.pid(program)
        assert pid is not None, f"{program} is down"
        return pid

    def _configure(self) -> None:
        for name in ("etc", "run", "log", "spool", "state", "mysql", "munge", "work"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        ports = {f"{name}_port": free_port() for name in ("controller", "accounting", "database")}
        nodes = [NODE.format(name=name, host=self.host, cpus=self.cpus, port=free_port()) for name in NODES]
        names = {**vars(self), **ports, "nodes": "\n".join(nodes)}
        (self.folder / "etc/slurm.conf").write_text(SLURM.format_map(names))
        accounting = self.folder / "etc/slurmdbd.conf"
        accounting.write_text(ACCOUNTING.format_map(names))
        accounting.chmod(0o600)
        if int(self.admin("sinfo", "-V").split()[1].split(".")[0]) > 22:  # the newer ones look for cgroups
            (self.folder / "etc/cgroup.conf").write_text("CgroupPlugin=disabled\n")
        key = self.folder / "munge/key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        own(self.folder / "munge", "munge")
        own(self.folder / "mysql", "mysql")
        own(self.folder / "work", SUBMITTER)

    def _start_munged(self) -> None:
        munge = self.folder / "munge"
        for name in ("socket", "socket.lock"):
            (munge / name).unlink(missing_ok=True)
        subprocess.run(
            [
                "munged",
                "--force",
                "-S",
                munge / "socket",
                f"--key-file={munge / 'key'}",
                f"--seed-file={munge / 'seed'}",
            ]
            + [f"--log-file={munge / 'log'}", f"--pid-file={munge / 'pid'}"],
            env=self.environment,
            user="munge",
            group=pwd.getpwnam("munge").pw_gid,
            extra_groups=[],
            check=True,
        )
        self._wait("munged", lambda: (munge / "pid").exists())
        shutil.copy(munge / "pid", self.folder / "run/munged.pid")

    def _start_mariadbd(self) -> None:
        data, log = self.folder / "mysql", self.folder / "log/mariadbd.log"
        if not (data / "mysql").exists():
            self.admin(
                *("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}"),
                *("--auth-root-authentication-method=socket", "--skip-test-db"),
            )
        port = (self.folder / "etc/slurmdbd.conf").read_text().partition("StoragePort=")[2].partition("\n")[0]
        with log.open("ab") as output:
            self._database = subprocess.Popen(
                ["mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}", f"--socket={data / 'socket'}"]
                + ["--bind-address=127.0.0.1", f"--port={port}", f"--pid-file={data / 'pid'}"]
                + ["--innodb-lock-wait-timeout=900", "--innodb-buffer-pool-size=256M"],
                env=self.environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        client = ("mariadb", "--no-defaults", f"--socket={data / 'socket'}", "-e")
        self._wait("mariadbd", lambda: self._answers(*client, "select 1"))
        self.admin(*client, GRANTS)
        shutil.copy(data / "pid", self.folder / "run/mariadbd.pid")

    def _start_slurmdbd(self) -> None:
        self._daemon("slurmdbd")
        self._wait("slurmdbd", lambda: self._answers("sacctmgr", "-n", "show", "cluster"))

    def _start_slurmctld(self) -> None:
        self._answers("sacctmgr", "-i", "add", "cluster", "one")
        self._daemon("slurmctld")
        self._wait("slurmctld", lambda: self._answers("scontrol", "ping"))

    def _start_node(self, name: str) -> None:
        self._daemon("slurmd", "-N", name)
        self._wait(name, lambda: self.state(name) in ("idle", "mixed", "allocated"))

    def _daemon(self, program: str, *arguments: str) -> None:
        """Start one that goes into the background by itself, which leaves what it prints open."""
        with (self.folder / f"log/{program}.start").open("ab") as output:
            subprocess.run(
                [program, *arguments], env=self.environment, stdin=DEVNULL, stdout=output, stderr=output, check=True
            )

    def _answers(self, *command: str) -> bool:
        return subprocess.run(command, env=self.environment, capture_output=True, timeout=60).returncode == 0

    def _wait(self, what: str, there: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {PATIENCE} s; see {self.folder}/log")
            time.sleep(0.1)


def runs(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def own(folder: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    for each in (folder, *folder.rglob("*")):
        os.chown(each, entry.pw_uid, grp.getgrgid(entry.pw_gid).gr_gid)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> None:
    match sys.argv[1:]:
        case ["install"]:
            install()
        case ["start", folder]:
            if problem := why_not():
                sys.exit(problem)
            cluster = Cluster(Path(folder))
            cluster.start()
            print(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}")
        case ["stop", folder]:
            Cluster(Path(folder)).stop()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
