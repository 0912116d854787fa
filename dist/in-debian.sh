#!/bin/bash
# in-debian.sh RELEASE COMMAND...   runs a command in a root of this release of Debian that has a C compiler; as root
#
# The root is made once, in target/debian-RELEASE. Cargo and rustup are in it where they are here, and this repository is /pallet, because
# OpenSSL remembers where it was built. What is built there needs only the glibc of that release.
set -euo pipefail
release=$1
shift
repository=$(cd "$(dirname "$0")/.." && pwd)
root=$repository/target/debian-$release
if [ ! -e "$root/.done" ]; then
  [ "$(id -u)" = 0 ] || { echo "dist: a root of Debian is made as root" >&2; exit 1; }
  rm -rf "$root"
  mkdir -p "$root"
  mmdebstrap --quiet --mode=root --variant=minbase --include=gcc,libc6-dev,make,perl,zlib1g-dev,pkg-config,git,ca-certificates \
    --aptopt='APT::Install-Recommends "false"' "$release" "$root" >&2
  touch "$root/.done"
fi
cargo_home=${CARGO_HOME:-$HOME/.cargo} rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME=$cargo_home RUSTUP_HOME=$rustup_home PATH=$cargo_home/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export ROOT=$root REPOSITORY=$repository
# the mounts are in a namespace of their own, and end with it
exec unshare --mount --fork bash -c '
  set -e
  mount --make-rprivate /
  mkdir -p "$ROOT/pallet"
  mount --bind "$REPOSITORY" "$ROOT/pallet"
  for directory in "$CARGO_HOME" "$RUSTUP_HOME"; do
    mkdir -p "$ROOT$directory"
    mount --bind "$directory" "$ROOT$directory"
  done
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf" 2>/dev/null || :
  exec chroot "$ROOT" env -C /pallet "$@"
' in-debian "$@"
