# Settings that the scripts of the bed share.
BED_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BED_STATE=${PALLET_BED_STATE:-${XDG_CACHE_HOME:-$HOME/.cache}/pallet-bed} # images, and the disks of running nodes
BED=${PALLET_BED:-pallet-bed}   # names one bed; several may stand side by side
BED_RUN=$BED_STATE/run/$BED     # a directory for each node, on a tmpfs
BED_NET=10.77                   # node K is $BED_NET.1.K; all beds use the same addresses, each in its own network namespace
BED_CGROUP=/sys/fs/cgroup/$BED
if [ -d /sys/fs/cgroup/unified ]; then BED_CGROUP=/sys/fs/cgroup/unified/$BED; fi

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# need PROGRAM PACKAGE...: installs the packages if the program is missing
need() {
  local program=$1
  shift
  if command -v "$program" >/dev/null; then return; fi
  command -v apt-get >/dev/null || die "$program is missing; install it (on Debian: $*)"
  echo "installing $*" >&2
  {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@"
  } >&2 </dev/null
}
