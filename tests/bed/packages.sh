#!/bin/bash
# packages.sh DIRECTORY   makes DIRECTORY a Debian repository of the packages that lie in it and of three of our own, in versions 1.0 and 1.1:
#   bed-alpha, bed-beta  40 files and a program that prints its name
#   bed-demo   a daemon with a systemd unit, not enabled, and a configuration file
set -euo pipefail
repository=$1
export SOURCE_DATE_EPOCH=1700000000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

alpha() { payload "$1" bed-alpha; }
beta() { payload "$1" bed-beta; }

payload() { # ROOT NAME
  local number
  mkdir -p "$1/usr/share/$2" "$1/usr/bin"
  for number in $(seq 40); do seq "$number" $((number + 400)) >"$1/usr/share/$2/data$number"; done
  printf '#!/bin/sh\necho %s\n' "$2" >"$1/usr/bin/$2"
  chmod 755 "$1/usr/bin/$2"
}

demo() { # ROOT
  mkdir -p "$1/lib/systemd/system" "$1/etc/bed-demo" "$1/usr/bin"
  echo 'port = 7777' >"$1/etc/bed-demo/bed-demo.conf"
  cat >"$1/usr/bin/bed-demo" <<'DAEMON'
#!/bin/sh
trap 'exit 0' TERM
while :; do
  sleep 3600 &
  wait $!
done
DAEMON
  chmod 755 "$1/usr/bin/bed-demo"
  cat >"$1/lib/systemd/system/bed-demo.service" <<'UNIT'
[Unit]
Description=bed demo daemon
[Service]
ExecStart=/usr/bin/bed-demo
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
UNIT
}

for name in alpha beta demo; do
  for version in 1.0 1.1; do
    root=$work/$name-$version
    mkdir -p "$root/DEBIAN"
    "$name" "$root"
    cat >"$root/DEBIAN/control" <<CONTROL
Package: bed-$name
Version: $version
Architecture: all
Maintainer: bed <bed@localhost>
Description: test package $name
CONTROL
    if [ "$name" = demo ]; then echo /etc/bed-demo/bed-demo.conf >"$root/DEBIAN/conffiles"; fi
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$root" "$repository" >/dev/null
  done
done
cd "$repository"
dpkg-scanpackages --multiversion . 2>/dev/null >Packages
