#!/bin/bash
# crate-nodes.sh   builds the images for crates, and prints a config.toml whose service `nodes` creates nodes from them
#
# PALLET_CRATE_SYSTEMS lists the versions of Debian, 12 if it is not set.
set -euo pipefail
home=$(dirname "$0")
# every node with systemd holds about 8 inotify instances, and the kernel's default of 128 ends at 16 nodes
if [ "$(id -u)" = 0 ] && [ "$(sysctl -n fs.inotify.max_user_instances)" -lt 2048 ]; then
  sysctl -qw fs.inotify.max_user_instances=2048
fi
images=
for version in ${PALLET_CRATE_SYSTEMS:-12}; do
  case $version in 12) release=bookworm ;; 13) release=trixie ;; *) echo "crate-nodes.sh: there is no image of Debian $version" >&2; exit 1 ;; esac
  images="$images${images:+, }debian-$version = \"$("$home/image.sh" $release-crates)/root\""
done
cat <<C
default_service = "nodes"

[services.nodes]
provider = "sandbox"
init = "systemd"
images = { $images }
C
