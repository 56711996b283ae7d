# Sourced by dist_train.sh and dist_test.sh.
# run_distributed PROCESSES SCRIPT ARGUMENTS...    torchrun with the environment variables that MMAction2's launchers take
run_distributed() {
  local processes=$1
  shift
  local python=${PYTHON:-$(command -v python || command -v python3)}
  local nodes=${NNODES:-1}
  local port=${PORT:-}
  if [ -z "$port" ]; then
    if [ "$nodes" -gt 1 ]; then
      port=29500  # must be the same on all machines
    else
      # Two runs on one machine must not meet.
      port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    fi
  fi
  # torchrun gives each process one thread unless told: share the cores out where the CPU does the work.
  if [ -z "${OMP_NUM_THREADS:-}" ]; then
    local threads=$(( $("$python" -c 'import os; print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())') / processes ))
    export OMP_NUM_THREADS=$(( threads > 1 ? threads : 1 ))
  fi
  export PYTHONPATH="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)${PYTHONPATH:+:$PYTHONPATH}"
  exec "$python" "$(dirname "${BASH_SOURCE[0]}")/torchrun.py" --nnodes="$nodes" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="$port" --nproc_per_node="$processes" "$@"
}
