#!/bin/sh
# Written by Pallet. Keeps a list of users with hashes of their passwords, which come in the
# variables PASSWORD_1, PASSWORD_2, ... in the order of the users.
#
#   nginx-users set NAME GROUP USER...
#   nginx-users is-set NAME GROUP USER...
set -euf
export LC_ALL=C
umask 077

die() {
  echo "$*" >&2
  exit 1
}

# the passwords come from the environment of this shell; no other program gets them in its own
for variable in $(env | sed -n 's/^\(PASSWORD_[0-9]*\)=.*/\1/p'); do
  eval "own_$variable=\$$variable"
  unset "$variable"
done

command=$1 list=/etc/nginx/pallet/$2.htpasswd group=$3
shift 3

password() { # NUMBER: prints it
  eval "printf '%s\n' \"\$own_PASSWORD_$1\""
}

hashed() { # NUMBER SALT
  password "$1" | openssl passwd -6 -salt "$2" -stdin
}

is_set() {
  if [ ! -e "$list" ] || [ "$(stat -c '%a %G' "$list")" != "640 $group" ]; then return 1; fi
  if [ "$(wc -l <"$list")" -ne "$#" ]; then return 1; fi
  number=0
  for user; do
    number=$((number + 1))
    known=$(sed -n "${number}s/^$(printf %s "$user" | sed 's/[.]/[.]/g'):\(.*\)/\1/p" "$list")
    salt=$(printf %s "$known" | cut -d '$' -f 3)
    if [ -z "$salt" ] || [ "$(hashed "$number" "$salt")" != "$known" ]; then return 1; fi
  done
}

set_all() {
  new=$list.new number=0
  : >"$new"
  for user; do
    number=$((number + 1))
    case $(password "$number" | wc -l) in
      1) ;;
      *) die "the password of $user has more than one line" ;;
    esac
    printf '%s:%s\n' "$user" "$(hashed "$number" "$(openssl rand -hex 8)")" >>"$new"
  done
  chgrp "$group" "$new"
  chmod 640 "$new"
  mv -f "$new" "$list"
}

case $command in
  is-set) is_set "$@" ;;
  set) set_all "$@" ;;
  *) die "nginx-users: unknown command $command" ;;
esac
