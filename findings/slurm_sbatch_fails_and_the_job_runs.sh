#!/usr/bin/env bash
# Slurm 22.05.8 of Debian 12: sbatch ends with 1 and says that the submission has failed, as its answer took more than 10 s. The
# job has been accepted, and runs. To submit it again is to run it twice.
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
controller=$(cat "$folder/run/slurmctld.pid")
kill -STOP "$controller" # it is busy, or its disk is
(sleep 13 && kill -CONT "$controller") &
said=$(cd "$folder" && sbatch --parsable --job-name=once --output=/dev/null --wrap=true 2>&1) && code=0 || code=$?
wait %1
echo "sbatch: $code, $said"
[ "$code" = 1 ]
[ "$said" = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" ]
for _ in $(seq 30); do
    state=$(squeue --noheader --states=all --name=once --format=%T)
    [ "$state" = COMPLETED ] && break
    sleep 1
done
echo "squeue: $state"
[ "$state" = COMPLETED ]
