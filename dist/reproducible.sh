#!/bin/bash
# reproducible.sh COMMAND...   runs cargo so that its results depend neither on where this repository is nor on when they are built
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct)}
RUSTFLAGS="--remap-path-prefix=$repository=/pallet --remap-path-prefix=$cargo_home=/cargo"
CFLAGS="-ffile-prefix-map=$repository=/pallet -ffile-prefix-map=$cargo_home=/cargo"
export SOURCE_DATE_EPOCH RUSTFLAGS CFLAGS CARGO_INCREMENTAL=0
exec "$@"
