#!/bin/bash
# bed.sh up N [--image IMAGE] [--init sshd|systemd] [--from K] [--host-key other] [--address ADDRESS] [--seed DIRECTORY]
#                     starts nodes K..K+N-1 (default: from 1, bookworm-min, sshd) and waits until every sshd answers;
#                     one node may have an address of its own, and files of its own over those of its image
# bed.sh down [K...]  removes nodes K... (default: all, and the bed)
# bed.sh kill K       power loss: all processes of node K die at once, its disk stays
# bed.sh start K      starts node K again on its disk
# bed.sh freeze K     node K hangs; `thaw K` wakes it
# bed.sh ls           name and address of every node
# bed.sh exec CMD...  runs a command where the nodes can be reached
# bed.sh ssh K CMD... runs a command on node K as root
# bed.sh dir          the directory with hosts, ssh_config, known_hosts and id_ed25519
# bed.sh image [IMAGE]   builds the image now, not at the first `up`
# bed.sh hold         takes the bed down when its standard input ends
#
# PALLET_BED names the bed, PALLET_BED_STATE says where images are kept, PALLET_BED_OWNER is a process without which the bed is not wanted.
# README.md says more.
set -euo pipefail
. "$(dirname "$0")/env.sh"

node_name() { echo "node$1"; }
node_ip() { echo "$BED_NET.1.$1"; }

# One change at a time: who ends a bed waits for who is still making it. The file descriptor must not pass to what stays (start_node).
lock() {
  mkdir -p "$BED_STATE/run"
  exec 8>"$BED_RUN.lock"
  flock 8
  locked=yes
}

bed_up() {
  if mountpoint -q "$BED_RUN"; then return; fi
  mkdir -p "$BED_RUN" "$BED_CGROUP"
  # overlayfs wants extended attributes of its upper layer, and a tmpfs leaves nothing behind
  mount -t tmpfs -o mode=755,size=4g bed "$BED_RUN"
  ip netns add "$BED"
  ip -n "$BED" -batch - <<BATCH
link set lo up
link add br0 type bridge
link set br0 up
addr add $BED_NET.0.1/16 dev br0
BATCH
}

up() {
  local count=$1 from=1 image=bookworm-min init=sshd host_key=host_key address= seed= directory k name
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --image) image=$2 ;;
      --init) init=$2 ;;
      --from) from=$2 ;;
      --host-key) host_key=$2_host_key ;;
      --address) address=$2 ;;
      --seed) seed=$2 ;;
      *) die "unknown option $1" ;;
    esac
    shift 2
  done
  [ "$(id -u)" = 0 ] || die "nodes need root"
  [ $((from + count)) -le 251 ] || die "there is room for 250 nodes"
  need ip iproute2
  need ssh openssh-client
  directory=$("$BED_HOME/image.sh" "$image")
  # every systemd holds about 5 inotify instances, and the kernel's default of 128 ends at 25 nodes
  if [ "$init" = systemd ] && [ "$count" -gt 20 ] && [ "$(sysctl -n fs.inotify.max_user_instances)" -lt 2048 ]; then
    sysctl -qw fs.inotify.max_user_instances=2048
  fi
  lock
  bed_up
  install -m600 "$directory/id_ed25519" "$BED_RUN/id_ed25519"
  cut -d' ' -f1,2 "$directory/host_key.pub" >"$BED_RUN/host_key.pub"

  for ((k = from; k < from + count; k++)); do
    name=$(node_name "$k")
    if [ -e "$BED_RUN/$name" ]; then die "$name exists"; fi
    mkdir -p "$BED_RUN/$name"
    echo "${address:-$(node_ip "$k")} $directory $init" >"$BED_RUN/$name/info"
    if [ -n "$seed" ]; then cp --archive "$seed" "$BED_RUN/$name/upper"; fi
    if [ "$host_key" != host_key ]; then
      install -D -m600 "$directory/$host_key" "$BED_RUN/$name/upper/etc/ssh/ssh_host_ed25519_key"
      install -D -m644 "$directory/$host_key.pub" "$BED_RUN/$name/upper/etc/ssh/ssh_host_ed25519_key.pub"
    fi
    ip netns add "$BED-$name"
  done
  for ((k = from; k < from + count; k++)); do
    printf 'link add v%s type veth peer name eth0 netns %s\nlink set v%s master br0 up\n' "$k" "$BED-$(node_name "$k")" "$k"
  done | ip -n "$BED" -batch -
  # addresses before anyone connects: a lost ARP request costs its sender a second
  for ((k = from; k < from + count; k++)); do
    printf 'link set lo up\naddr add %s/16 dev eth0\nlink set eth0 up\n' "${address:-$(node_ip "$k")}" | ip -n "$BED-$(node_name "$k")" -batch -
    start_node "$(node_name "$k")"
  done
  inventory
  for ((k = from; k < from + count; k++)); do cut -d' ' -f1 "$BED_RUN/$(node_name "$k")/info"; done | wait_ssh
  # who wanted it may be gone, and its `hold` done before this began
  if [ -n "${PALLET_BED_OWNER:-}" ] && ! kill -0 "$PALLET_BED_OWNER" 2>/dev/null; then down; fi
}

start_node() { # NAME; its supervisor ends when the node is powered off
  local name=$1 ip directory init
  read -r ip directory init <"$BED_RUN/$name/info"
  mkdir -p "$BED_CGROUP/$name"
  setsid "$BED_HOME/node-run.sh" "$BED-$name" "$name" "$ip" "$directory" "$init" "$BED_RUN/$name" "$BED_CGROUP/$name" \
    </dev/null >>"$BED_RUN/$name/console" 2>&1 8>&- &
}

wait_ssh() { # addresses on standard input
  nsenter --net="/run/netns/$BED" "$BED_HOME/wait-ssh.sh" 60 || {
    tail -n 5 "$BED_RUN"/node*/console >&2 || true
    die "some nodes did not start"
  }
}

inventory() { # what controllers need: hosts, ssh_config, known_hosts
  local info ip
  for info in "$BED_RUN"/node*/info; do
    if [ ! -e "$info" ]; then continue; fi
    read -r ip _ <"$info"
    info=${info%/info}
    echo "${info##*/} $ip"
  done | sort -V >"$BED_RUN/hosts"
  sed "s|^[^ ]* \(.*\)|\1 $(cat "$BED_RUN/host_key.pub")|" "$BED_RUN/hosts" >"$BED_RUN/known_hosts"
  {
    sed 's/^\([^ ]*\) \(.*\)/Host \1\n  HostName \2/' "$BED_RUN/hosts"
    cat <<CONFIG
Host *
  User root
  IdentityFile $BED_RUN/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile $BED_RUN/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  KexAlgorithms curve25519-sha256
  LogLevel ERROR
CONFIG
  } >"$BED_RUN/ssh_config"
}

kill_node() { # NAME
  local tries
  if [ ! -e "$BED_CGROUP/$1" ]; then return; fi
  echo 1 >"$BED_CGROUP/$1/cgroup.kill"
  for ((tries = 0; tries < 500; tries++)); do
    if ! grep -qs 'populated 1' "$BED_CGROUP/$1/cgroup.events"; then return; fi
    sleep 0.02
  done
  die "$1: processes are left in $BED_CGROUP/$1"
}

remove_cgroup() { if [ -d "$1" ]; then find "$1" -depth -type d -exec rmdir {} +; fi; }

down() {
  local names=() name k
  [ -n "${locked:-}" ] || lock
  if [ $# -gt 0 ]; then
    for k in "$@"; do names+=("$(node_name "$k")"); done
  else
    for k in "$BED_RUN"/node*/; do if [ -d "$k" ]; then names+=("$(basename "$k")"); fi; done
  fi
  for name in "${names[@]}"; do if [ -e "$BED_CGROUP/$name" ]; then echo 1 >"$BED_CGROUP/$name/cgroup.kill"; fi; done
  for name in "${names[@]}"; do
    kill_node "$name"
    remove_cgroup "$BED_CGROUP/$name"
    if [ -e "/run/netns/$BED-$name" ]; then ip netns del "$BED-$name"; fi
    rm -rf "${BED_RUN:?}/$name"
  done
  if [ $# -gt 0 ]; then
    inventory
    return
  fi
  if [ -e "/run/netns/$BED" ]; then ip netns del "$BED"; fi
  remove_cgroup "$BED_CGROUP"
  if mountpoint -q "$BED_RUN"; then umount "$BED_RUN"; fi
  rm -rf "$BED_RUN.lock"
  if [ -d "$BED_RUN" ]; then rmdir "$BED_RUN"; fi
}

# It must outlive whoever holds it, so no signal from the terminal ends it.
hold() {
  trap '' INT TERM HUP QUIT
  cat >/dev/null || true
  down
}

command=${1:-}
shift || true
case $command in
  up) up "${@:?how many?}" ;;
  down) down "$@" ;;
  kill) kill_node "$(node_name "$1")" ;;
  start)
    start_node "$(node_name "$1")"
    cut -d' ' -f1 "$BED_RUN/$(node_name "$1")/info" | wait_ssh
    ;;
  freeze) echo 1 >"$BED_CGROUP/$(node_name "$1")/cgroup.freeze" ;;
  thaw) echo 0 >"$BED_CGROUP/$(node_name "$1")/cgroup.freeze" ;;
  ls) cat "$BED_RUN/hosts" ;;
  exec) exec nsenter --net="/run/netns/$BED" "$@" ;;
  ssh)
    name=$(node_name "$1")
    shift
    exec nsenter --net="/run/netns/$BED" ssh -F "$BED_RUN/ssh_config" "$name" "$@"
    ;;
  dir) echo "$BED_RUN" ;;
  image) "$BED_HOME/image.sh" "$@" ;;
  hold) hold ;;
  *)
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0"
    exit 2
    ;;
esac
