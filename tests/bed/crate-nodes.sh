#!/bin/bash
# crate-nodes.sh   builds the images for crates, and prints a config.toml whose service `nodes` creates nodes from them
set -euo pipefail
home=$(dirname "$0")
# every node with systemd holds about 8 inotify instances, and the kernel's default of 128 ends at 16 nodes
if [ "$(id -u)" = 0 ] && [ "$(sysctl -n fs.inotify.max_user_instances)" -lt 2048 ]; then
  sysctl -qw fs.inotify.max_user_instances=2048
fi
bookworm=$("$home/image.sh" bookworm-crates)
trixie=$("$home/image.sh" trixie-crates)
cat <<C
default_service = "nodes"

[services.nodes]
provider = "sandbox"
init = "systemd"
images = { debian-12 = "$bookworm/root", debian-13 = "$trixie/root" }
C
