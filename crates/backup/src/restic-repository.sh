#!/bin/sh
# restic-repository NAME is-ready     whether this node has opened the repository at the declared location with the declared password
# restic-repository NAME prepare      creates the repository, or changes the password of this node's key in it
# restic-repository NAME COMMAND...   runs restic with the repository
#
# What is declared is in /etc/restic/NAME: `environment` (lines NAME=VALUE, taken literally), `password`, `options` (lines of -o). What the
# repository has is in /var/lib/restic/NAME. Written by pallet.
set -eu
name=$1
shift
declared=/etc/restic/$name state=/var/lib/restic/$name

fail() {
  echo "restic-repository $name: $1" >&2
  exit 1
}

same() { [ -r "$1" ] && [ -r "$2" ] && [ "$(cat "$1")" = "$(cat "$2")" ]; }

here() { [ -r "$state/location" ] && [ "$(cat "$state/location")" = "$RESTIC_REPOSITORY" ]; }

run() { # PASSWORD-FILE ARGUMENT...
  RESTIC_PASSWORD_FILE=$1
  export RESTIC_PASSWORD_FILE
  shift
  if [ -r "$declared/options" ]; then
    while IFS= read -r line; do set -- -o "$line" "$@"; done <"$declared/options"
  fi
  restic "$@"
}

# Jobs that overlap wait for each other: those of this node at a lock of our own, those of others where restic can.
one_at_a_time() {
  case $1 in
    backup | forget | prune | check) ;;
    *) return 0 ;;
  esac
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$state/lock"
    flock 9
  fi
  if restic "$1" --help 2>/dev/null | grep -q -e --retry-lock; then retry=--retry-lock=2h; fi
}

opens() { run "$1" --no-lock cat config >/dev/null 2>&1; }

prepare() {
  umask 077
  mkdir -p "$state"
  if opens "$declared/password"; then
    :
  elif [ -r "$state/password" ] && here && opens "$state/password"; then
    run "$state/password" key passwd --new-password-file "$declared/password"
  else
    run "$declared/password" init ||
      fail "the repository can neither be opened with the declared password nor created"
  fi
  cp "$declared/password" "$state/password"
  printf '%s\n' "$RESTIC_REPOSITORY" >"$state/location"
}

[ -r "$declared/environment" ] || fail "it is not declared on this node"
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    '' | '#'*) ;;
    *) export "${line%%=*}=${line#*=}" ;;
  esac
done <"$declared/environment"
export RESTIC_CACHE_DIR="${RESTIC_CACHE_DIR:-/var/cache/restic}"

case ${1-} in
  is-ready) same "$declared/password" "$state/password" && here ;;
  prepare) prepare ;;
  '') fail "say what to do" ;;
  *)
    retry=
    one_at_a_time "$1"
    run "$state/password" ${retry:+"$retry"} "$@"
    ;;
esac
