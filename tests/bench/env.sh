# shellcheck shell=bash disable=SC2034
# Settings that the scripts of the benchmark share.
BENCH_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PALLET_BED=${PALLET_BED:-pallet-bench}
# shellcheck source=../bed/env.sh
. "$BENCH_HOME/../bed/env.sh"
bed=$BENCH_HOME/../bed/bed.sh
BENCH_STATE=$BED_STATE/bench          # virtual environments of the peers, results, what the tools printed
CONTROLLER_CGROUP=$BED_CGROUP-controller

# venv NAME PACKAGE...: a virtual environment with these packages, of the newest Python there is (Ansible wants 3.12 or later), or PYTHON
venv() {
  local directory=$BENCH_STATE/venv/$1
  shift
  if [ ! -e "$directory/packages" ] || [ "$(cat "$directory/packages")" != "$*" ]; then
    echo "installing $* into $directory" >&2
    "${PYTHON:-$(newest_python)}" -m venv --clear "$directory" >&2
    "$directory/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    echo "$*" >"$directory/packages"
  fi
}

newest_python() {
  local python
  for python in python3.14 python3.13 python3.12 python3; do
    # a name can be there without the thing behind it
    if "$python" -c 'import venv' 2>/dev/null; then break; fi
  done
  echo "$python"
}

# measure CMD...: runs it where the nodes can be reached and in a cgroup of its own, and sets
# wall, controller_cpu, nodes_cpu (seconds) and code. The controller is CMD and all that it starts, the nodes are everything in them.
measure() {
  local from to controller nodes
  mkdir -p "$CONTROLLER_CGROUP"
  nodes=$(cpu "$BED_CGROUP") controller=$(cpu "$CONTROLLER_CGROUP") from=$(date +%s%N) code=0
  (
    echo "$BASHPID" >"$CONTROLLER_CGROUP/cgroup.procs"
    exec nsenter --net="/run/netns/$BED" "$@"
  ) || code=$?
  to=$(date +%s%N)
  wall=$(seconds $(((to - from) / 1000)))
  controller_cpu=$(seconds $(($(cpu "$CONTROLLER_CGROUP") - controller)))
  nodes_cpu=$(seconds $(($(cpu "$BED_CGROUP") - nodes)))
  rmdir "$CONTROLLER_CGROUP" 2>/dev/null || true # connections that CMD left open keep it
}

# rest: waits until the nodes' systems have come to rest after their start: a second that costs them less than 5 ms each, or 60 seconds
rest() {
  local before after second
  for ((second = 0; second < 60; second++)); do
    before=$(cpu "$BED_CGROUP")
    sleep 1
    after=$(cpu "$BED_CGROUP")
    [ $((after - before)) -ge $((5000 * $("$bed" ls | wc -l))) ] || return 0
  done
}

cpu() { awk '$1 == "usage_usec" { print $2 }' "$1/cpu.stat"; }
seconds() { printf '%d.%03d' $(($1 / 1000000)) $(($1 / 1000 % 1000)); }

# release: builds pallet-cli and its provider, unless PALLET_CLI names a program, and sets pallet to it
release() {
  local target
  if [ -n "${PALLET_CLI:-}" ]; then
    pallet=$PALLET_CLI
    return
  fi
  (cd "$BENCH_HOME/../.." && cargo build --quiet --release -p pallet-cli -p pallet-provider-node-list) >&2
  target=$(cd "$BENCH_HOME/../.." && cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  pallet=$target/release/pallet-cli
}
