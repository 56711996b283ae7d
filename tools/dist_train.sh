#!/usr/bin/env bash
# dist_train.sh CONFIG GPUS [arguments of train.py]    several processes on this machine; on a CPU they talk over gloo
# More machines: NNODES, NODE_RANK, MASTER_ADDR and PORT as environment variables, the same on each but NODE_RANK.
set -e
CONFIG=${1:?usage: dist_train.sh CONFIG GPUS [arguments of train.py]}
GPUS=${2:?usage: dist_train.sh CONFIG GPUS [arguments of train.py]}
source "$(dirname "$0")/torchrun.sh"
run_distributed "$GPUS" "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
