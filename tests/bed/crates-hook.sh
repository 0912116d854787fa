#!/bin/bash
# crates-hook.sh ROOT PACKAGES   what image.sh does to a fresh system for nodes of crates: a boot without timers, and a repository of packages in the image
#
# PACKAGES is a file with a name a line. The repository has them with what they depend on, as far as the image lacks it.
set -euo pipefail
root=$1
export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
mapfile -t packages <"$2"

# Timers that look for new packages would take apt's lock at some moment; a crate that wants them enables them.
rm -f "$root"/etc/systemd/system/timers.target.wants/{apt-daily,apt-daily-upgrade,dpkg-db-backup,e2scrub_all,fstrim}.timer
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
# packages put links to manual pages there, which images lack
mkdir -p "$root"/usr/share/man/man{1,2,3,4,5,6,7,8}
echo '127.0.0.1 localhost' >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
: >"$root/etc/resolv.conf"

repository=$root/srv/repository archives=$root/var/cache/apt/archives
mkdir -p "$repository"
rm -f "$archives"/*.deb

# download PACKAGE...: some packages exclude each other, so those of a list that cannot be installed together are tried in halves
download() {
  if [ $# = 0 ]; then return; fi
  if apt-get --quiet=2 --yes --download-only --no-install-recommends install "$@" >/dev/null 2>"$root/tmp/why"; then return; fi
  if [ $# = 1 ]; then
    echo "image.sh: package $1 cannot be had for ${root##*/}: $(grep -m1 '^E:' "$root/tmp/why" || tail -n 1 "$root/tmp/why")" >&2
    exit 1
  fi
  download "${@:1:$(($# / 2))}"
  download "${@:$(($# / 2 + 1))}"
}
download "${packages[@]}"
rm -f "$root/tmp/why"

# the index: what apt knows of these packages, without what an installation does not need
find "$archives" -maxdepth 1 -name '*.deb' -exec mv -t "$repository" {} +
ls "$repository" >"$root/tmp/files"
apt-cache dumpavail | awk -v files="$root/tmp/files" '
  BEGIN { while ((getline file < files) > 0) there[file] = 1 }
  /^Package: / { name = $2 }
  /^Version: / { version = $2; gsub(":", "%3a", version) }
  /^Architecture: / { architecture = $2 }
  /^(Filename|Description-md5|MD5sum|Tag|Homepage|Maintainer|Original-Maintainer): / { skip = 1; next }
  /^ / && skip { next }
  { skip = 0 }
  /^$/ {
    file = name "_" version "_" architecture ".deb"
    if (file in there) { print text "Filename: ./" file "\n"; delete there[file] }
    text = ""
    next
  }
  { text = text $0 "\n" }
  END { for (file in there) { print "image.sh: " file " is in no list of packages" >"/dev/stderr"; exit 1 } }' >"$repository/Packages"
rm -f "$root/tmp/files"

# nodes have this source of packages only
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
cat >"$root/etc/apt/apt.conf.d/90bed" <<'C'
Acquire::Languages "none";
Acquire::GzipIndexes "false";
Acquire::PDiffs "false";
APT::Install-Recommends "false";
C
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/bed"
echo 'deb [trusted=yes] file:/srv/repository ./' >"$root/etc/apt/sources.list.d/bed.list"
chroot "$root" env -u APT_CONFIG apt-get -qq update
