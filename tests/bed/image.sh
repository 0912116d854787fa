#!/bin/bash
# image.sh [IMAGE]   builds an image unless it is there, and prints its directory
#
# The directory holds root/ (the lower layer of the nodes' disks), id_ed25519 (a key that logs in) and host_key, other_host_key (host keys,
# made for it). Its name ends with a digest of its recipe: a changed recipe makes a new image. Packages come from the mirror that this
# machine's apt uses.
set -euo pipefail
. "$(dirname "$0")/env.sh"

image=${1:-bookworm-min} manager= crates=
case $image in
  bookworm-min | trixie-min | bullseye-min) more=() ;;
  bookworm-crates | trixie-crates) crates=yes ;; # what scenarios of crates and documents install
  bookworm-bench) more=(cron python3 python3-apt) ;; # what the tools that tests/bench compares need
  # another package manager, with what makes a repository for it
  bookworm-dnf) manager=dnf more=(dnf rpm createrepo-c) ;;
  bookworm-zypper) manager=zypper more=(zypper rpm createrepo-c) ;;
  bookworm-pacman) manager=pacman more=(pacman-package-manager makepkg libarchive-tools) ;;
  *) die "unknown image $image; there are bookworm-min, trixie-min, bullseye-min, bookworm-bench, bookworm-crates, trixie-crates, bookworm-dnf," \
    "bookworm-zypper, bookworm-pacman" ;;
esac

# what decides what is in it
if [ -n "$crates" ]; then
  packages=$("$BED_HOME/crates-packages.sh" "${image%-*}")
  recipe=("$BED_HOME"/{image,crates-hook}.sh)
  include=systemd-sysv,dbus,procps,iproute2
else
  packages=
  recipe=("$BED_HOME"/{image,image-hook,packages,other-manager}.sh)
  include=$(IFS=,; echo "systemd-sysv,dbus,openssh-server,sudo,procps,iproute2${more[*]:+,${more[*]}}")
fi
recipe=$({ cat "${recipe[@]}"; echo "$packages"; } | sha256sum | cut -c1-12)
directory=$BED_STATE/images/$image-$recipe
if [ ! -d "$directory" ]; then
  [ "$(id -u)" = 0 ] || die "building an image needs root"
  need mmdebstrap mmdebstrap
  need ssh-keygen openssh-client
  need dpkg-scanpackages dpkg-dev
  need gpgv gpgv
  mkdir -p "$BED_STATE/images"
  exec 9>"$BED_STATE/images/.lock"
  flock 9
fi

if [ ! -d "$directory" ]; then # still, now that nobody else builds
  echo "building the image $image" >&2
  part=$directory.part
  rm -rf "$part"
  trap 'rm -rf "$part"' EXIT
  mkdir -p "$part"
  if [ -n "$crates" ]; then
    echo "$packages" >"$part/packages"
    hook="'$BED_HOME/crates-hook.sh' \"\$1\" '$part/packages'"
  else
    hook="'$BED_HOME/image-hook.sh' \"\$1\" '$part'"
  fi
  for key in id_ed25519 host_key other_host_key; do ssh-keygen -q -t ed25519 -N '' -C bed -f "$part/$key"; done
  mmdebstrap --quiet --mode=root --variant=minbase --skip=cleanup/apt/lists \
    --include="$include" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook="$hook" \
    ${manager:+--customize-hook="'$BED_HOME/other-manager.sh' \"\$1\" $manager"} \
    "${image%-*}" "$part/root" >&2
  mv "$part" "$directory"
  # images of old recipes that nobody used for two weeks
  find "$BED_STATE/images" -mindepth 1 -maxdepth 1 -type d -name "$image-*" -mtime +14 ! -path "$directory" -exec rm -rf {} +
fi
touch "$directory"
echo "$directory"
