#!/bin/sh
# Written by Pallet. Takes servers out of a proxy of nginx, and puts them back in. Checks files before
# they are put in place.
#
#   /etc/nginx/pallet/NAME.servers  the servers of a proxy as they are declared
#   /etc/nginx/pallet/NAME.drained  those that are out: on each line how far that has come
#                                   (draining, drained, returning), and the address of the server
#   /etc/nginx/pallet/NAME.active   what nginx includes: the servers, those that are out as `down`
# names are no patterns for the shell
set -euf
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
directory=/etc/nginx/pallet
old_workers=/run/nginx-pallet.workers

die() {
  echo "$*" >&2
  exit 1
}

lock() {
  exec 9>"$directory/.lock"
  flock 9
}

unlock() { exec 9>&-; }

state() { # NAME
  if [ -e "$directory/$1.drained" ]; then cat "$directory/$1.drained"; fi
}

mark() { # NAME WORD SERVERS; the word `in` removes them
  file=$directory/$1.drained
  {
    state "$1" | SERVERS=$3 awk '
      BEGIN { count = split(ENVIRON["SERVERS"], list, "\n")
        for (i = 1; i <= count; i++) mine[list[i]] = 1 }
      !($2 in mine)'
    if [ "$2" != in ]; then for server in $3; do echo "$2 $server"; done; fi
  } >"$file.new"
  if [ -s "$file.new" ]; then mv -f "$file.new" "$file"; else rm -f "$file.new" "$file"; fi
}

declared() { # NAME: the addresses of its servers
  if [ -e "$directory/$1.servers" ]; then
    awk '$1 == "server" { sub(/;$/, "", $2); print $2 }' "$directory/$1.servers"
  fi
}

whole() { # NAME: what nginx should include
  echo '# written by pallet'
  state "$1" | awk '
    from == "state" { if ($1 != "returning") out[$2] = 1; next }
    $1 == "server" { sub(/;$/, ""); print $0 ($2 in out ? " down;" : ";") }' \
    from=state - from=servers "$directory/$1.servers"
}

is_rendered() { whole "$1" | cmp -s - "$directory/$1.active"; } # NAME

write() { # NAME
  whole "$1" >"$directory/$1.active.new"
  mv -f "$directory/$1.active.new" "$directory/$1.active"
}

# FILE PATH...: whether nginx accepts its whole configuration with the file at these paths, and
# without those that begin with `!`. It is checked in a copy, in which all paths lead to the copy.
accepts() {
  file=$1
  shift
  if [ ! -e /etc/nginx/nginx.conf ]; then die 'nginx is not installed here: call nginx.install first'; fi
  tree=$(mktemp -d)
  trap 'rm -rf -- "$tree"' EXIT
  # what links lead to, so that a link to a file of the configuration has its new content
  cp -RL /etc/nginx/. "$tree" 2>/dev/null || true
  for path; do
    case $path in
      '!'*) rm -f -- "$tree${path#!/etc/nginx}" ;;
      *)
        mkdir -p -- "$tree$(dirname -- "${path#/etc/nginx}")"
        cp -- "$file" "$tree${path#/etc/nginx}"
        ;;
    esac
  done
  # names without spaces are all that sed is given
  grep -rlF /etc/nginx/ "$tree" | grep -v '[.]so$' | while read -r one; do
    sed -i "s#/etc/nginx/#$tree/#g" "$one"
  done
  code=0
  said=$(nginx -t -c "$tree/nginx.conf" 2>&1) || code=1
  if [ "$code" != 0 ]; then printf '%s\n' "$said" | sed "s#$tree/#/etc/nginx/#g" >&2; fi
  rm -rf -- "$tree"
  return "$code"
}

check() { # PATH... -- FILE
  count=$#
  for word; do
    count=$((count - 1))
    shift
    if [ "$count" -ge 1 ] && [ "$word" != -- ]; then set -- "$@" "$word"; fi
  done
  case $word in /*) ;; *) word=$PWD/$word ;; esac
  accepts "$word" "$@" || die 'nginx refuses the configuration; the old one stays'
}

may_connect() { # whether SELinux, if there is any, lets nginx connect to servers
  boolean=/sys/fs/selinux/booleans/httpd_can_network_connect
  if [ -e "$boolean" ]; then grep -q '^1' "$boolean"; fi
}

prune() { # NAME: forgets servers that are no longer declared
  for server in $(state "$1" | awk '{ print $2 }'); do
    if ! declared "$1" | grep -qxF -e "$server"; then mark "$1" in "$server"; fi
  done
}

matching() { # NAME SERVER...: the declared servers with one of these addresses, whatever their port
  declared "$1" | {
    shift
    WANTED=$(printf '%s\n' "$@") awk '
      BEGIN { count = split(ENVIRON["WANTED"], list, "\n")
        for (i = 1; i <= count; i++) wanted[bare(list[i])] = 1 }
      function bare(text) { gsub(/[][]/, "", text); return text }
      { host = $1; sub(/:[0-9]+$/, "", host)
        if (bare($1) in wanted || bare(host) in wanted) print $1 }'
  }
}

out() { # NAME SERVER...: those that are out, or on the way
  name=$1
  for server in $(matching "$@"); do
    if state "$name" | awk '{ print $2 }' | grep -qxF -e "$server"; then echo "$server"; fi
  done
}

master() { # the process of nginx that reads the configuration
  pid=$(cat /run/nginx.pid 2>/dev/null || cat /run/nginx/nginx.pid 2>/dev/null) && [ -n "$pid" ] || return 1
  kill -0 "$pid" 2>/dev/null && echo "$pid"
}

workers() { # PID: the processes that it started
  { set +f && for stat in /proc/[0-9]*/stat; do cat "$stat" 2>/dev/null || true; done; } |
    PARENT=$1 awk '{ pid = $1; sub(/^.*\) /, ""); if ($2 == ENVIRON["PARENT"]) print pid }'
}

left_of() { # PIDS: those that still run; `pid` is their parent
  workers "$pid" | OLD=$1 awk '
    BEGIN { count = split(ENVIRON["OLD"], list, "\n")
      for (i = 1; i <= count; i++) old[list[i]] = 1 }
    $1 in old'
}

# whether nginx has read its configuration: there are processes that have it, and all others take no
# more connections
is_reloaded() {
  if [ "$(workers "$pid" | wc -l)" -le "$(left_of "$old" | wc -l)" ]; then return 1; fi
  for worker in $(left_of "$old"); do
    title=$(tr '\0' ' ' 2>/dev/null <"/proc/$worker/cmdline") || continue
    case $title in '' | *'shutting down'*) ;; *) return 1 ;; esac
  done
}

await_reloaded() { # `old` are the processes that had another configuration
  end=$(($(date +%s) + 10))
  while ! is_reloaded; do
    if [ "$(date +%s)" -ge "$end" ]; then
      echo "nginx does not start processes with its new configuration; look at its error log" >&2
      return 1
    fi
    sleep 0.1
  done
}

accepted() { # whether nginx accepts its configuration
  if ! said=$(nginx -t 2>&1); then
    printf '%s\n' "$said" >&2
    return 1
  fi
}

# nginx reads its configuration, which it must accept; `old` are the processes that had another one
reload() {
  accepted || return 1
  old=
  if ! pid=$(master); then
    if ! (set +f && grep -qs '^nginx: master process' /proc/[0-9]*/cmdline); then return 0; fi
    echo 'nginx runs, but /run/nginx.pid does not say which process it is' >&2
    return 1
  fi
  old=$(workers "$pid")
  kill -HUP "$pid"
  await_reloaded
}

change() { # NAME WORD SERVERS: marks servers, and reloads nginx; all stays as it was if that fails
  before=$(state "$1")
  mark "$1" "$2" "$3"
  write "$1"
  if ! reload; then
    if [ -n "$before" ]; then
      printf '%s\n' "$before" >"$directory/$1.drained"
    else
      rm -f "$directory/$1.drained"
    fi
    write "$1"
    die "nginx refuses its configuration; nothing was changed in $1"
  fi
}

is_drained() { # NAME KNOWN SERVER...
  name=$1 known=$2
  shift 2
  if [ ! -e "$directory/$name.servers" ]; then return 1; fi
  servers=$(matching "$name" "$@")
  # the balancer has not learned of a new node yet
  if [ -z "$servers" ]; then
    [ "$known" = yes ]
    return
  fi
  for server in $servers; do state "$name" | grep -qxF -e "drained $server" || return 1; done
  is_rendered "$name"
}

drain() { # NAME KNOWN TIMEOUT CUT_OFF LAST SERVER...
  name=$1 known=$2 timeout=$3 cut_off=$4 last=$5
  shift 5
  if [ ! -e "$directory/$name.servers" ]; then
    others=$(ls "$directory" | sed -n 's/[.]servers$//p')
    die "nginx has no proxy $name here, it has: $(echo ${others:-none});" \
      "if $name is new, lift this node first"
  fi
  lock
  servers=$(matching "$name" "$@")
  if [ -z "$servers" ]; then
    if [ "$known" = yes ]; then exit 0; fi
    die "the proxy $name has no server $1; it has: $(echo $(declared "$name"))"
  fi
  if [ "$last" = no ] && [ "$(out "$name" "$@")" != "$servers" ]; then
    gone=$(state "$name" | awk '{ print $2 }' && echo "$servers")
    if ! declared "$name" | grep -qvxF -e "$gone"; then
      die "without $1, no server of $name would be up; drain fewer at a time, or say last = True"
    fi
  fi
  change "$name" draining "$servers"
  unlock
  if [ -n "$old" ] && ! is_idle "$timeout" && [ "$cut_off" = no ]; then
    lock
    change "$name" in "$servers"
    die "nginx still answers old requests after $timeout s, so $1 is back in $name;" \
      "raise timeout, or say cut_off = True"
  fi
  lock
  mark "$name" drained "$servers"
}

is_idle() { # TIMEOUT: waits until the processes in `old` have answered their requests
  end=$(($(date +%s) + $1))
  while [ -n "$(left_of "$old")" ]; do
    if [ "$(date +%s)" -ge "$end" ]; then return 1; fi
    sleep 0.2
  done
}

undrain() { # NAME SERVER...
  name=$1
  lock
  servers=$(out "$@")
  if [ -z "$servers" ]; then exit 0; fi
  change "$name" returning "$servers"
  mark "$name" in "$servers"
}

before_reload() { # remembers the processes that have the old configuration
  accepted || exit 1
  old=
  if pid=$(master); then old=$(workers "$pid"); fi
  printf '%s\n' "$old" >"$old_workers"
}

after_reload() {
  pid=$(master) || exit 0 # its file is elsewhere
  old=
  if [ -e "$old_workers" ]; then old=$(cat "$old_workers"); fi
  await_reloaded || exit 1
  rm -f "$old_workers"
}

command=$1
shift
case $command in
  before-reload) before_reload ;;
  after-reload) after_reload ;;
  may-connect) may_connect ;;
  let-connect) setsebool -P httpd_can_network_connect on ;;
  is-rendered) is_rendered "$@" ;;
  render)
    lock
    prune "$1"
    whole "$1" >"$directory/$1.active.new"
    if ! accepts "$directory/$1.active.new" "$directory/$1.active"; then
      rm -f "$directory/$1.active.new"
      die "nginx refuses the servers of $1; the old ones stay"
    fi
    mv -f "$directory/$1.active.new" "$directory/$1.active"
    ;;
  check) check "$@" ;;
  is-drained) is_drained "$@" ;;
  drain) drain "$@" ;;
  is-undrained) [ -z "$(out "$@")" ] ;;
  undrain) undrain "$@" ;;
  *) die "nginx-servers: unknown command $command" ;;
esac
