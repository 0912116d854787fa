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

# venv DIRECTORY PACKAGE...: makes a virtual environment of Python with these packages, once
venv() {
  local directory=$1
  shift
  if [ -e "$directory/complete" ]; then return; fi
  # Debian has the module that makes one in a package of its own; there is no program of this name, so the packages are installed
  if ! python3 -c 'import ensurepip' 2>/dev/null; then need ensurepip python3 python3-venv; fi
  mkdir -p "$BED_STATE"
  (
    flock 9
    if [ -e "$directory/complete" ]; then exit; fi
    rm -rf "$directory"
    python3 -m venv "$directory"
    "$directory/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    touch "$directory/complete"
  ) 9>"$directory.lock"
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
