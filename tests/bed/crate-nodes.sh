#!/bin/bash
# crate-nodes.sh   builds the images for crates, and prints a config.toml whose service `nodes` creates nodes from them
set -euo pipefail
home=$(dirname "$0")
bookworm=$("$home/image.sh" bookworm-crates)
trixie=$("$home/image.sh" trixie-crates)
cat <<C
default_service = "nodes"

[services.nodes]
provider = "sandbox"
init = "systemd"
images = { debian-12 = "$bookworm/root", debian-13 = "$trixie/root" }
C
