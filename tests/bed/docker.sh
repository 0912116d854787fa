#!/bin/bash
# docker.sh hold docker|podman   starts an engine with its files in the bed's directory, in a network namespace without a way out; the file
#                     `ready` is there when it answers at `socket`. Takes all of it down when its standard input ends.
# docker.sh dir       the directory
#
# PALLET_BED names the bed, whose directory is in /run. Docker's containers have a bridge in the namespace; Podman's have
# no network, as its own would leave files on the machine.
set -euo pipefail
. "$(dirname "$0")/env.sh"

# Podman allows no longer path than 50 bytes
BED_RUN=/run/$BED
engine=${2:-}
cgroup=$BED

client() { docker -H "unix://$BED_RUN/socket" "$@"; }

up() {
  [ "$(id -u)" = 0 ] || die "an engine needs root"
  need ip iproute2
  need runc runc
  case $engine in
    docker) need dockerd docker.io ;;
    podman) need podman podman ;;
    *) die "there is docker, and podman" ;;
  esac
  # with docker.io in some releases, a package of its own in others; it also talks to Podman
  if ! command -v docker >/dev/null; then
    need docker docker-cli || need docker docker.io
  fi
  mkdir -p "$BED_RUN"
  # overlayfs wants extended attributes of its upper layer, and a tmpfs leaves nothing behind
  mount -t tmpfs -o mode=711,size=4g bed "$BED_RUN"
  ip netns add "$BED"
  ip -n "$BED" link set lo up
  echo '{}' >"$BED_RUN/daemon.json"
  # where this machine's limits are lower than Podman's own (soft and hard alike, which some releases take for one another); and what is sure to work without systemd
  cat >"$BED_RUN/containers.conf" <<'C'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
C
  if [ "$engine" = docker ]; then
    set -- dockerd --config-file "$BED_RUN/daemon.json" --data-root "$BED_RUN/data" --exec-root "$BED_RUN/exec" --pidfile "$BED_RUN/pid" \
      --cgroup-parent "/$cgroup" --iptables=false --ip-masq=false -H "unix://$BED_RUN/socket" -H tcp://127.0.0.1:2375 --tls=false
  else
    set -- env CONTAINERS_CONF="$BED_RUN/containers.conf" "${podman[@]}" system service --time 0 "unix://$BED_RUN/socket"
  fi
  # nsenter, not `ip netns exec`, which hides the cgroups
  nsenter --net="/run/netns/$BED" "$@" </dev/null >"$BED_RUN/log" 2>&1 &
  daemon=$!
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    if client version >/dev/null 2>&1; then
      : >"$BED_RUN/ready"
      return
    fi
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$BED_RUN/log" >&2
  die "$engine does not start"
}

down() {
  local ids path
  ids=$(client ps -aq 2>/dev/null || true)
  # shellcheck disable=SC2086
  if [ -n "$ids" ]; then client rm -f $ids >/dev/null 2>&1 || true; fi
  if [ -n "${daemon:-}" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  # Podman's monitors of commands would wait minutes, and then look for their engine again
  for path in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null <"$path/cmdline" | grep -q "^$BED_RUN/"; then kill -KILL "${path#/proc/}" 2>/dev/null || true; fi
  done
  if [ -e "/run/netns/$BED" ]; then ip netns del "$BED"; fi
  # the deepest first
  awk -v root="$BED_RUN" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r path; do
    umount "$path" 2>/dev/null || umount -l "$path" || true
  done
  if [ -d "$BED_RUN" ]; then rmdir "$BED_RUN"; fi
  # engines leave their groups, empty a moment after their last process
  sleep 0.2
  for path in /sys/fs/cgroup /sys/fs/cgroup/*; do
    for group in "$path/$cgroup" "$path/libpod_parent"; do
      if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    done
  done
}

podman=(podman --root "$BED_RUN/data" --runroot "$BED_RUN/exec" --tmpdir "$BED_RUN/tmp" --storage-driver overlay --network-config-dir "$BED_RUN/net")

# It must outlive whoever holds it, so no signal from the terminal ends it.
hold() {
  trap '' INT TERM HUP QUIT
  trap down EXIT
  up
  cat >/dev/null || true
}

case ${1:-} in
  hold) hold ;;
  dir) echo "$BED_RUN" ;;
  *)
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0"
    exit 2
    ;;
esac
