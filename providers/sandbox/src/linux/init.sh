# The first process of a node, from its namespaces to its last breath. Runs in the node's directory, in namespaces of its own.
# Arguments: where its file systems are mounted, "" for the root first. Talks to the provider: writes `pid N` and `built`, reads `go`;
# a provider that dies before `go` closes the pipe, and this process ends, and with it all that was built.
set -eu
umask 022

# this is still the machine's /proc, where we have the machine's number
read -r pid rest < /proc/self/stat
echo "pid $pid"

# the root
[ -z "$MEMORY" ] || mount -t tmpfs -o mode=755 pallet disk
number=0
for volume in "$@"; do
  [ -z "$MEMORY" ] || mkdir -p "disk/$number/upper" "disk/$number/work"
  mount -t overlay -o "nodev,lowerdir=lower$volume,upperdir=disk/$number/upper,workdir=disk/$number/work" pallet "root$volume"
  number=$((number + 1))
done
cd root

# what is private to the machine; a disk on a file system hides it with marks of the overlay instead
[ -z "$MEMORY" ] || printf '%s\n' "$HIDDEN" | while read -r path; do
  [ -z "$path" ] || mount -t tmpfs -o nosuid,nodev,mode="$(stat -c %a "./$path")" pallet "./$path"
done

# devices: none that reaches the machine's hardware
mkdir -p proc sys dev run
mount -t tmpfs -o mode=755,size=4m dev dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  [ -e "/dev/$device" ] || continue
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o nosuid,nodev,mode=1777 shm dev/shm
mount -t tmpfs -o nosuid,nodev,mode=755 run run
mkdir -m 1777 run/lock

# kernel-wide knobs are read-only; the node's own network is not
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
[ -z "$SYSTEMD" ] || mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t proc -o nosuid,nodev,noexec proc proc
echo "$NAME" > proc/sys/kernel/hostname
for path in bus fs irq; do
  [ ! -d "proc/$path" ] || { mount --bind "proc/$path" "proc/$path" && mount -o remount,bind,ro "proc/$path"; }
done
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
cat /proc/sys/kernel/random/uuid > run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
mount -o remount,bind,ro proc/sys

mkdir -p .machine
pivot_root . .machine
cd /
umount -l /.machine
rmdir /.machine

# from here on all paths are the node's own, links in them too
place() {
  rm -f "$1"
  printf '%s\n' "$2" > "$1"
}
if [ -n "$NEW" ]; then
  # what would confuse: keys of the machine, marks of a container, the rule of container images that no service may start
  rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /.dockerenv /usr/sbin/policy-rc.d
  if [ -e /etc/machine-id ] || [ -n "$SYSTEMD" ]; then place /etc/machine-id "$ID"; fi
fi
[ "$(cat /etc/hostname 2>/dev/null)" = "$NAME" ] || place /etc/hostname "$NAME"
grep -qxF "$ADDRESS $NAME" /etc/hosts 2>/dev/null ||
  place /etc/hosts "127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
$ADDRESS $NAME"
[ -z "$RESOLVE" ] || place /etc/resolv.conf "$RESOLVE"

if [ -n "$SYSTEMD" ]; then
  # There is no terminal to log in at. The network is there before systemd: what waits for it waits for nothing.
  mkdir -p /run/systemd/system
  for unit in console-getty systemd-networkd-wait-online NetworkManager-wait-online; do
    ln -s /dev/null "/run/systemd/system/$unit.service"
  done
fi

# shellcheck disable=SC2086  # words of options
exec env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 container=pallet $CONFINE /bin/sh -c '
  echo built
  read -r go terminal || exit 1
  exec < /dev/null > /dev/null 2>&1
  if [ -n "$1" ]; then
    : > /dev/console
    mount --bind "$terminal" /dev/console
    for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do
      [ ! -x "$systemd" ] || exec env -i PATH="$PATH" container=pallet TERM=dumb "$systemd"
    done
    exit 1
  fi
  trap "exit 0" TERM
  # orphans become children of this process, and wait takes their end
  while :; do
    sleep 2147483647 &
    wait "$!"
  done' init "$SYSTEMD"
