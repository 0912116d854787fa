#!/bin/bash
# node-init.sh NAME IP IMAGE INIT DISK CGROUP
# The first process in a node's new namespaces: builds its root, drops what could hurt the machine, becomes its init.
set -euo pipefail
name=$1 ip=$2 image=$3 init=$4 disk=$5 cgroup=$6 root=$5/root
echo 0 >"$cgroup/cgroup.procs" # 0: the writer itself
if [ -s "$disk/upper/etc/hostname" ]; then hostname "$(cat "$disk/upper/etc/hostname")"; else hostname "$name"; fi

mkdir -p "$disk/upper" "$disk/work" "$root"
mount -t overlay -o "lowerdir=$image/root,upperdir=$disk/upper,workdir=$disk/work" "$name" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,size=4m dev "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=755,size=2m small "$root/srv/small" # a disk that is soon full
# what belongs to the whole kernel is read-only; the node's own net.* stays writable
mount --bind "$root/proc/sys" "$root/proc/sys"
[ ! -e "$root/proc/sysrq-trigger" ] || mount --bind /dev/null "$root/proc/sysrq-trigger"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
cat /proc/sys/kernel/random/uuid >"$root/run/boot_id"
mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"
mount -o remount,bind,ro "$root/proc/sys"
if [ ! -s "$disk/upper/etc/hostname" ]; then
  echo "$name" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n%s %s\n' "$ip" "$name" >"$root/etc/hosts"
fi

cd "$root"
mkdir -p .old
pivot_root . .old
capabilities=-sys_time,-sys_module,-sys_rawio,-mknod,-mac_admin,-mac_override,-wake_alarm,-block_suspend,-syslog
exec unshare --cgroup /bin/sh -c '
  mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
  umount -l /.old
  rmdir /.old
  capabilities=$1
  if [ "$2" = systemd ]; then
    set -- /lib/systemd/systemd
  else
    mkdir -p /run/sshd
    set -- /usr/sbin/sshd -D -e
  fi
  exec env -i container=bed PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set "$capabilities" --inh-caps "$capabilities" "$@"' sh "$capabilities" "$init" </dev/null
