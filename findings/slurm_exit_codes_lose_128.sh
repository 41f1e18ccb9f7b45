#!/usr/bin/env bash
# Slurm 22.05.8 of Debian 12: sacct takes 128 off of exit codes. `exit 137` is 9:0, and `exit 128` is 0:0, as if all had gone
# well. squeue and scontrol have the whole code, until the controller forgets the job, by default 300 s after its end.
# Needs root: it gets Slurm by apt-get, and starts one in a temporary folder.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
chmod 755 "$folder"
cluster() { "${PYTHON:-python3}" "$here/tests/real/slurm/cluster.py" "$@"; }
trap 'cluster stop "$folder"; rm -rf "$folder"' EXIT
command -v slurmctld slurmd slurmdbd mariadbd munged sbatch >/dev/null || cluster install >/dev/null
eval "$(cluster start "$folder")"
[[ $(sinfo -V) == "slurm-wlm 22.05.8" ]] || { echo "this is about Slurm 22.05.8, not $(sinfo -V)"; exit 1; }
seen=
for code in 127 128 137 255; do
    job=$(cd "$folder" && sbatch --parsable --output=/dev/null --wrap="exit $code")
    until [ "$(sacct -nPX -j "$job" --format=End)" != Unknown ] && [ -n "$(sacct -nPX -j "$job" --format=End)" ]; do sleep 1; done
    seen="$seen$(sacct -nPX -j "$job" --format=State,ExitCode) $(scontrol show job "$job" | grep -o 'ExitCode=[0-9:]*');"
    echo "exit $code: sacct $(sacct -nPX -j "$job" --format=State,ExitCode), scontrol $(scontrol show job "$job" | grep -o 'ExitCode=[0-9:]*')"
done
[ "$seen" = "FAILED|127:0 ExitCode=127:0;FAILED|0:0 ExitCode=128:0;FAILED|9:0 ExitCode=137:0;FAILED|127:0 ExitCode=255:0;" ]
