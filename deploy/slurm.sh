#!/usr/bin/env bash
#SBATCH --job-name=recsweep
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=2
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@120
#
# A sweep over the nodes of a Slurm job. From the repository's root, on a file system that all
# nodes share, after `make install`:
#
#   sbatch deploy/slurm.sh experiments/mine.yaml --set resources.gpu=0.5
#
# Arguments go to `recsweep sweep`. The job's time limit stops the sweep cleanly; the same command
# goes on. Set STUDIES to a folder that is kept if the repository lies on scratch space.
set -euo pipefail

experiment=${1:?an experiment, e.g. sbatch deploy/slurm.sh experiments/default.yaml}
shift
root=${SLURM_SUBMIT_DIR:-$PWD}
cd "$root"
ray=$root/.venv/bin/ray
[[ -x $ray ]] || { echo "$ray: run make install first" >&2; exit 2; }

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
port=$((20000 + SLURM_JOB_ID % 20000))  # another job may be on the same node
cpus=${SLURM_CPUS_PER_TASK:-1}
export SRUN_CPUS_PER_TASK=$cpus  # srun doesn't take it over from sbatch since Slurm 22.05
gpus=${SLURM_GPUS_ON_NODE:-0}
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')

common=(--num-cpus="$cpus" --num-gpus="$gpus" --disable-usage-stats --block)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT

srun --nodes=1 --ntasks=1 --overlap --nodelist="$head" \
    "$ray" start --head --node-ip-address="$address" --port="$port" --include-dashboard=false \
    "${common[@]}" &
pids+=($!)
for node in "${nodes[@]:1}"; do
    srun --nodes=1 --ntasks=1 --overlap --nodelist="$node" \
        "$ray" start --address="$address:$port" "${common[@]}" &
    pids+=($!)
done

export RAY_ADDRESS=$address:$port
for _ in $(seq 60); do
    "$ray" status >/dev/null 2>&1 && break
    sleep 2
done

mirror=()
[[ -z ${STUDIES:-} ]] || mirror=(--set "storage.mirror=$STUDIES")
.venv/bin/recsweep sweep "$experiment" "${mirror[@]}" "$@" &
sweep=$!
trap 'kill -TERM $sweep 2>/dev/null || true; wait $sweep || true' TERM
wait $sweep
