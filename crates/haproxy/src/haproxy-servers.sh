#!/bin/sh
# Written by Pallet. Makes haproxy.cfg of its parts, checks parts before they are put in place, takes
# servers out of a backend, and puts them back in.
#
#   /etc/haproxy/pallet/global        what all proxies share
#   /etc/haproxy/pallet/NAME.cfg      one proxy or backend as it is declared
#   /etc/haproxy/pallet/NAME.frontend one frontend, or the statistics
#   /etc/haproxy/pallet/NAME.drained  its servers that are out: on each line how far that has come
#                                     (draining, drained, returning), and the name of the server
#
# haproxy.cfg says `disabled` of a server that is out, so that a reload or a restart leaves it out.
# names are no patterns for the shell
set -euf
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
# the statistics have a password
umask 077
parts=/etc/haproxy/pallet
configuration=/etc/haproxy/haproxy.cfg
admin=/run/haproxy/admin.sock
master=/run/haproxy-master.sock
header="# written by pallet from the files in $parts: changes here are lost"

die() {
  echo "$*" >&2
  exit 1
}

lock() {
  exec 9>"$parts/.lock"
  flock 9
}

unlock() { exec 9>&-; }

state() { # NAME
  if [ -e "$parts/$1.drained" ]; then cat "$parts/$1.drained"; fi
}

mark() { # NAME WORD SERVER; the word `in` removes it
  { state "$1" | awk -v server="$3" '$2 != server' && { [ "$2" = in ] || echo "$2 $3"; }; } \
    >"$parts/$1.drained.new"
  if [ -s "$parts/$1.drained.new" ]; then
    mv -f "$parts/$1.drained.new" "$parts/$1.drained"
  else
    rm -f "$parts/$1.drained.new" "$parts/$1.drained"
  fi
}

mark_all() { # NAME WORD SERVERS
  for server in $3; do mark "$1" "$2" "$server"; done
}

proxies() { ls "$parts" | sed -n 's/[.]cfg$//p'; }

# the names of files with this extension, and that of the part that is checked
all() { # EXTENSION
  { ls "$parts" && echo "${checked-}"; } | sed -n "s/[.]$1\$//p" | sort -u
}

part() { # FILE: its path, or that of its new content
  if [ "$1" = "${checked-}" ]; then echo "$content"; else echo "$parts/$1"; fi
}

whole() { # haproxy.cfg as it should be
  echo "$header"
  cat "$(part global)"
  for piece in $(all frontend); do
    echo
    cat "$(part "$piece.frontend")"
  done
  for proxy in $(all cfg); do
    echo
    state "$proxy" | awk '
      from == "state" { if ($1 != "returning") out[$2] = 1; next }
      $1 == "server" && $2 in out { print $0 " disabled"; next }
      { print }' from=state - from=part "$(part "$proxy.cfg")"
  done
}

check() { # FILE CONTENT: whether HAProxy accepts the whole with that content of a part
  checked=$1 content=$2
  if [ ! -e "$parts/global" ] && [ "$checked" != global ]; then return 0; fi
  new=$(mktemp)
  trap 'rm -f -- "$new"' EXIT
  whole >"$new"
  if ! said=$(haproxy -c -f "$new" 2>&1); then
    printf '%s\n' "$said" | sed "s#$new#$configuration#g" >&2
    die "HAProxy refuses the configuration with this $checked; the old one stays"
  fi
}

is_rendered() { whole | cmp -s - "$configuration"; }

write() { # puts haproxy.cfg in place, if HAProxy accepts it
  new=$configuration.pallet
  whole >"$new" || return 1
  if ! said=$(haproxy -c -f "$new" 2>&1); then
    printf '%s\n' "$said" >&2
    rm -f "$new"
    return 1
  fi
  if [ -e "$configuration" ] && ! head -n 1 "$configuration" | grep -qxF "$header"; then
    cp -p "$configuration" "$configuration.before-pallet" || return 1
  fi
  # the service reads it as root, before it becomes another user
  chmod 640 "$new" && { chgrp haproxy "$new" 2>/dev/null || true; } &&
    mv -f "$new" "$configuration"
}

prune() { # forgets servers that are no longer declared
  for proxy in $(ls "$parts" | sed -n 's/[.]drained$//p'); do
    for server in $(state "$proxy" | awk '{ print $2 }'); do
      if ! declared "$proxy" | awk '{ print $1 }' | grep -qxF -e "$server"; then
        mark "$proxy" in "$server"
      fi
    done
  done
}

declared() { # NAME: the names and addresses of its servers
  if [ -e "$parts/$1.cfg" ]; then awk '$1 == "server" { print $2, $3 }' "$parts/$1.cfg"; fi
}

matching() { # NAME SERVER...: the declared servers that have one of these names or addresses
  declared "$1" | {
    shift
    WANTED=$(printf '%s\n' "$@") awk '
      BEGIN { count = split(ENVIRON["WANTED"], list, "\n")
        for (i = 1; i <= count; i++) wanted[bare(list[i])] = 1 }
      function bare(text) { gsub(/[][]/, "", text); return text }
      { host = $2; sub(/:[0-9]+$/, "", host)
        if (bare($1) in wanted || bare($2) in wanted || bare(host) in wanted) print $1 }'
  }
}

out() { # NAME SERVER...: those that are out, or on the way
  name=$1
  for server in $(matching "$@"); do
    if state "$name" | awk '{ print $2 }' | grep -qxF -e "$server"; then echo "$server"; fi
  done
}

ask() { printf '%s\n' "$1" | socat -t 10 - "UNIX-CONNECT:$admin"; }

runs() { # whether HAProxy runs; it must answer then, but not at once, as it may just restart
  end=$(($(date +%s) + 5))
  while ! ask 'show info' >/dev/null 2>&1; do
    if ! (set +f && grep -qsx haproxy /proc/[0-9]*/comm); then return 1; fi
    if [ "$(date +%s)" -ge "$end" ]; then
      die "haproxy runs, but its socket $admin does not answer; lift this node, then try again"
    fi
    sleep 0.2
  done
}

tell() { # COMMANDS: a server that the running HAProxy does not know gets no requests
  said=$(ask "$1" 2>/dev/null |
    grep -v -e '^$' -e '^No such ' -e '^health checks are not enabled') || return 0
  die "haproxy refuses \`$1\`: $said"
}

# NAME SERVERS: of each that the running HAProxy knows: its name, its status, its requests
status() {
  said=$(ask 'show stat -1 4 -1') || return 1
  case $said in '# pxname'*) ;; *) return 1 ;; esac
  printf '%s\n' "$said" | rows "$@"
}

rows() {
  SERVERS=$2 awk -F, -v backend="$1" '
    BEGIN { count = split(ENVIRON["SERVERS"], list, "\n")
      for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
    $1 == backend && $2 in wanted { split($18, word, " "); print $2, word[1], $3 + $5 }'
}

# NAME SERVERS: their requests, also in processes that an earlier reload has left to finish
sessions() {
  rows=$(status "$@") || return 1
  if [ -S "$master" ]; then
    for pid in $(echo 'show proc' | socat -t 10 - "UNIX-CONNECT:$master" | awk '
      /^#/ { old = /old workers/ } old && $2 == "worker" { print $1 }'); do
      rows="$rows
$(echo "@!$pid show stat -1 4 -1" | socat -t 10 - "UNIX-CONNECT:$master" | rows "$@")"
    done
  fi
  printf '%s\n' "$rows" | awk '{ count += $3 } END { print count + 0 }'
}

# NAME SERVERS: whether another server answers, or none of these does anyway. A server that has just
# begun to answer must first pass its checks, so this waits for it, without the lock.
leaves_one() {
  end=$(($(date +%s) + 10))
  until is_one_left "$@"; do
    if ! others_are_checked "$@" || [ "$(date +%s)" -ge "$end" ]; then return 1; fi
    unlock
    sleep 0.2
    lock
  done
}

others_are_checked() { # NAME SERVERS: whether the checks may find that another server is up
  if [ "$running" = no ]; then return 1; fi
  others=$(declared "$1" | awk '{ print $1 }' | grep -vxF -e "$2")
  status "$1" "$others" | grep -qv ' MAINT '
}

is_one_left() {
  all=$(declared "$1" | awk '{ print $1 }')
  if [ "$running" = yes ]; then
    status "$1" "$all" | awk '$2 == "UP" || $2 == "no" { print $1 }'
  else
    for server in $all; do
      if ! state "$1" | awk '{ print $2 }' | grep -qxF -e "$server"; then echo "$server"; fi
    done
  fi | SERVERS=$2 awk '
    BEGIN { count = split(ENVIRON["SERVERS"], list, "\n")
      for (i = 1; i <= count; i++) mine[list[i]] = 1 }
    { if ($1 in mine) gone++; else left++ }
    END { exit !(left || !gone) }'
}

is_drained() { # NAME KNOWN SERVER...
  name=$1 known=$2
  shift 2
  if [ ! -e "$parts/$name.cfg" ]; then return 1; fi
  servers=$(matching "$name" "$@")
  # the balancer has not learned of a new node yet
  if [ -z "$servers" ]; then
    [ "$known" = yes ]
    return
  fi
  for server in $servers; do state "$name" | grep -qxF -e "drained $server" || return 1; done
  is_rendered || return 1
  # somebody may have put it back in by hand
  if rows=$(status "$name" "$servers" 2>/dev/null); then
    printf '%s\n' "$rows" | awk 'NF && $2 != "MAINT" { bad = 1 } END { exit bad }'
  fi
}

take_out() { # NAME SERVERS
  for server in $2; do tell "set server $1/$server state maint"; done
}

bring_in() { # NAME SERVERS
  for server in $2; do
    # nothing is passed on to it until it has passed its checks: it begins without weight
    tell "set server $1/$server weight 0; set server $1/$server state ready; \
set server $1/$server health down; set server $1/$server weight 100%"
  done
}

put_in() { # NAME SERVERS
  mark_all "$1" returning "$2"
  write || die "HAProxy refuses its configuration: $1 still lacks $(echo $2)"
  if [ "$running" = yes ]; then bring_in "$1" "$2"; fi
  mark_all "$1" in "$2"
}

drain() { # NAME KNOWN TIMEOUT CUT_OFF LAST SERVER...
  name=$1 known=$2 timeout=$3 cut_off=$4 last=$5
  shift 5
  if [ ! -e "$parts/$name.cfg" ]; then
    others=$(proxies)
    die "haproxy has no backend $name here, it has: $(echo ${others:-none});" \
      "if $name is new, lift this node first"
  fi
  lock
  servers=$(matching "$name" "$@")
  if [ -z "$servers" ]; then
    if [ "$known" = yes ]; then exit 0; fi
    others=$(declared "$name" | awk '{ print $1 }')
    die "the backend $name has no server $1; it has: $(echo $others)"
  fi
  running=no
  if runs; then running=yes; fi
  if [ "$last" = no ] && ! leaves_one "$name" "$servers"; then
    die "without $1, no server of $name would be up; drain fewer at a time, or say last = True"
  fi
  mark_all "$name" draining "$servers"
  if ! write; then
    mark_all "$name" in "$servers"
    die "HAProxy refuses its configuration; nothing was drained"
  fi
  if [ "$running" = yes ]; then take_out "$name" "$servers"; fi
  unlock
  if [ "$running" = yes ] && ! is_idle "$name" "$servers" "$timeout" &&
    [ "$cut_off" = no ]; then
    lock
    put_in "$name" "$servers"
    die "after $timeout s, $1 still has requests of $name to answer ($left), and is back in;" \
      "raise timeout, or say cut_off = True"
  fi
  lock
  mark_all "$name" drained "$servers"
}

is_idle() { # NAME SERVERS TIMEOUT: waits until they have no requests; `left` is how many they have
  end=$(($(date +%s) + $3)) quiet=0
  while :; do
    # HAProxy does not answer while it restarts
    left=$(sessions "$1" "$2" 2>/dev/null) || left=unknown
    # a reload that had begun before may have brought the server back
    if status "$1" "$2" 2>/dev/null | grep -qv ' MAINT '; then
      take_out "$1" "$2"
      left=unknown
    fi
    if [ "$left" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
    # a request may just have chosen its server when that was told to take no more
    if [ "$quiet" -ge 2 ]; then return 0; fi
    if [ "$(date +%s)" -ge "$end" ] && [ "$left" != 0 ]; then return 1; fi
    sleep 0.2
  done
}

undrain() { # NAME TIMEOUT SERVER...
  name=$1 timeout=$2
  shift 2
  lock
  servers=$(out "$name" "$@")
  if [ -z "$servers" ]; then exit 0; fi
  running=no
  if runs; then running=yes; fi
  put_in "$name" "$servers"
  unlock
  if [ "$running" = no ]; then exit 0; fi
  end=$(($(date +%s) + timeout))
  while :; do
    if rows=$(status "$name" "$servers" 2>/dev/null); then
      bad=$(printf '%s\n' "$rows" | awk 'NF && $2 != "UP" && $2 != "no" { print $1 }')
      if [ -z "$bad" ]; then exit 0; fi
      # a restart that had begun before may have left it out
      bring_in "$name" "$(printf '%s\n' "$rows" | awk '$2 == "MAINT" { print $1 }')"
    fi
    if [ "$(date +%s)" -ge "$end" ]; then
      die "$1 is back in $name, but still fails the checks of HAProxy after $timeout s;" \
        "does it serve again?"
    fi
    sleep 0.2
  done
}

command=$1
shift
case $command in
  is-rendered) is_rendered ;;
  render)
    lock
    prune
    write || die "HAProxy refuses the configuration; the old one stays"
    ;;
  check) check "$@" ;;
  is-drained) is_drained "$@" ;;
  drain) drain "$@" ;;
  is-undrained) [ -z "$(out "$@")" ] ;;
  undrain) undrain "$@" ;;
  *) die "haproxy-servers: unknown command $command" ;;
esac
