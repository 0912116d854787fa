#!/bin/bash
# image-hook.sh ROOT KEYS   what image.sh does to a fresh system: logins, a quiet boot, the local repository
set -euo pipefail
root=$1 keys=$2 home=$(dirname "$0")

# Users: root by key; `admin` with sudo, `operator` with sudo that asks for a password, `plain` without sudo.
authorize() { # USER HOME
  install -d -m700 "$root$2/.ssh"
  install -m600 "$keys/id_ed25519.pub" "$root$2/.ssh/authorized_keys"
  chroot "$root" chown -R "$1:" "$2/.ssh"
}
authorize root /root
for user in admin operator plain; do
  # Debian has a group `operator`
  chroot "$root" groupadd --force "$user"
  chroot "$root" useradd --gid "$user" --create-home --shell /bin/sh "$user"
  authorize "$user" "/home/$user"
done
echo 'operator:bed-secret' | chroot "$root" chpasswd --crypt-method SHA512
echo 'admin ALL=(ALL) NOPASSWD:ALL' >"$root/etc/sudoers.d/admin"
echo 'operator ALL=(ALL) ALL' >"$root/etc/sudoers.d/operator"
chmod 440 "$root"/etc/sudoers.d/*

# sshd: one host key; logins by key; many at once
rm -f "$root"/etc/ssh/ssh_host_*
install -m600 "$keys/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
install -m644 "$keys/host_key.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
cat >"$root/etc/ssh/sshd_config.d/bed.conf" <<'C'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
C
# sudo looks its own host name up
echo '127.0.0.1 localhost' >"$root/etc/hosts"

# A quiet boot: no consoles, no timers, no devices
units=$root/etc/systemd/system
ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
for unit in getty.target console-getty.service getty@tty1.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-hwdb-update.service \
  systemd-modules-load.service systemd-remount-fs.service systemd-networkd.service systemd-networkd.socket systemd-resolved.service \
  systemd-timesyncd.service systemd-logind.service dbus-org.freedesktop.login1.service systemd-update-utmp.service systemd-sysctl.service \
  systemd-firstboot.service modprobe@.service kmod-static-nodes.service \
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount dev-hugepages.mount \
  dev-mqueue.mount proc-sys-fs-binfmt_misc.automount; do
  ln -sf /dev/null "$units/$unit"
done
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' >"$root/etc/systemd/journald.conf.d/bed.conf"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

# Packages: a repository in the image itself, with some packages from the mirror and three of our own
repository=$root/srv/bed-repository
mkdir -p "$repository" "$root/srv/small"
rm -f "$root"/var/cache/apt/archives/*.deb
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet=2 --yes --download-only --no-install-recommends install nginx haproxy socat tree opendoas locales git
# for nodes that lose it
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet=2 --yes --download-only --reinstall install sudo
mv "$root"/var/cache/apt/archives/*.deb "$repository"
"$home/packages.sh" "$repository"
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/bed"
echo 'deb [trusted=yes] file:/srv/bed-repository ./' >"$root/etc/apt/sources.list.d/bed.list"
chroot "$root" apt-get -qq -o Acquire::Languages=none update
rm -rf "$root"/var/cache/apt/*.bin
rm -f "$root/etc/resolv.conf"
: >"$root/etc/resolv.conf"
