#!/bin/bash
# vm-image.sh   builds a disk image for virtual machines unless it is there, and prints its directory
#
# The directory holds disk.qcow2 (Debian 12 with cloud-init, a file system without partitions), vmlinuz and initrd: there is no boot loader, and
# no repository of packages. Its name ends with a digest of its recipe: a changed recipe makes a new image. Packages come from the mirror
# that this machine's apt uses.
set -euo pipefail
. "$(dirname "$0")/env.sh"

recipe=$(sha256sum <"$BED_HOME/vm-image.sh" | cut -c1-12)
directory=$BED_STATE/images/vm-$recipe
if [ ! -d "$directory" ]; then
  [ "$(id -u)" = 0 ] || die "building an image needs root"
  PATH=$PATH:/usr/sbin:/sbin
  need mmdebstrap mmdebstrap
  need mke2fs e2fsprogs
  need qemu-img qemu-utils
  case $(uname -m) in
    x86_64) kernel=linux-image-cloud-amd64 ;;
    aarch64) kernel=linux-image-cloud-arm64 ;;
    *) die "there is no image for $(uname -m)" ;;
  esac
  mkdir -p "$BED_STATE/images"
  exec 9>"$BED_STATE/images/.vm.lock"
  flock 9
fi

if [ ! -d "$directory" ]; then # still, now that nobody else builds
  echo "building the image of virtual machines" >&2
  part=$directory.part
  rm -rf "$part"
  trap 'rm -rf "$part"' EXIT
  mkdir -p "$part"
  mmdebstrap --quiet --mode=root --variant=minbase \
    --include="systemd-sysv,dbus,udev,openssh-server,sudo,$kernel,cloud-init,cloud-guest-utils,netbase,iproute2,ifupdown,isc-dhcp-client" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='echo "/dev/vda / ext4 rw,noatime 0 1" >"$1/etc/fstab"; : >"$1/etc/machine-id"; rm -f "$1"/etc/ssh/ssh_host_*' \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*' \
    --customize-hook='echo "datasource_list: [NoCloud, None]" >"$1/etc/cloud/cloud.cfg.d/90_bed.cfg"' \
    bookworm "$part/root" >&2
  cp "$part"/root/boot/vmlinuz-* "$part/vmlinuz"
  cp "$part"/root/boot/initrd.img-* "$part/initrd"
  truncate -s 2G "$part/disk.raw"
  mke2fs -q -t ext4 -d "$part/root" "$part/disk.raw"
  qemu-img convert -O qcow2 "$part/disk.raw" "$part/disk.qcow2"
  rm -rf "$part/root" "$part/disk.raw"
  mv "$part" "$directory"
  # images of old recipes that nobody used for two weeks
  find "$BED_STATE/images" -mindepth 1 -maxdepth 1 -type d -name 'vm-*' -mtime +14 ! -path "$directory" -exec rm -rf {} +
fi
touch "$directory"
echo "$directory"
