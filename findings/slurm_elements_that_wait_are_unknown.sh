#!/usr/bin/env bash
# Slurm 22.05.8 of Debian 12: sacct knows nothing of an element of an array that waits, if it is asked for by its own id. If the
# element is cancelled alone, nobody knows anything of it any more, and never will; of a whole array there is a row.
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
job=$(cd "$folder" && sbatch --parsable --output=/dev/null --array=0-3 --hold --wrap=true)
until [ -n "$(sacct -nPX -j "$job" --format=JobID,State)" ]; do sleep 1; done
sacct_() { sacct -nPX --format=JobID,State --duplicates -j "$1"; }
squeue_() { squeue --noheader --states=all --array --format='%i|%T' -j "$1,$1"; }
echo "sacct -j $job: $(sacct_ "$job")"
echo "sacct -j ${job}_2: '$(sacct_ "${job}_2")', squeue: $(squeue_ "${job}_2")"
[ "$(sacct_ "$job")" = "${job}_[0-3]|PENDING" ]
[ -z "$(sacct_ "${job}_2")" ]
[ "$(squeue_ "${job}_2")" = "${job}_2|PENDING" ]
scancel "${job}_2"
sleep 5
echo "after scancel ${job}_2: sacct '$(sacct_ "${job}_2")', squeue '$(squeue_ "${job}_2")', $(scontrol show job "${job}_2" || true)"
[ -z "$(sacct_ "${job}_2")" ]
[ -z "$(squeue_ "${job}_2")" ]
scancel "$job"
until sacct_ "$job" | grep -q CANCELLED; do sleep 1; done
echo "after scancel $job: sacct -j $job: $(sacct_ "$job"), -j ${job}_1: '$(sacct_ "${job}_1")'"
[ -z "$(sacct_ "${job}_1")" ]
