# names are no patterns for the shell
set -euf
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 077
own=$parts.conf
loaded=$parts/.loaded
header="# written by pallet from the files in $parts: changes here are lost"

die() {
  echo "$*" >&2
  exit 1
}

lock() {
  exec 9>"$parts/.lock"
  flock 9
}

# the names of the settings that are declared, and of that which is checked
names() {
  { ls "$parts" && echo "${checked-}"; } | sed -n 's/[.]conf$//p' | sort -u
}

part() { # FILE: its path, or that of its new content
  if [ "$1" = "${checked-}" ]; then echo "$content"; else echo "$parts/$1"; fi
}

whole() { # the settings as they should be
  echo "$header"
  for name in $(names); do cat "$(part "$name.conf")"; done
  secret=$(part password)
  if [ -e "$secret" ]; then
    if [ "$(sed -n '$=' "$secret")" != 1 ]; then die 'the password must be one line'; fi
    quoted=$(sed 's/[\\"]/\\&/g' "$secret")
    # replicas have the password of their primary
    printf 'requirepass "%s"\nmasterauth "%s"\n' "$quoted" "$quoted"
  fi
}

# FILE: starts a server with these settings, apart from the real one, and ends it
accepts() {
  if [ ! -e "$config" ]; then die "there is no $config: call redis.install first"; fi
  work=$(mktemp -d)
  trap 'rm -rf -- "$work"' EXIT
  { grep -vxF "include $own" "$config" || true; cat "$1"; } >"$work/conf"
  if grep -q '^tls-port ' "$work/conf"; then set -- --tls-port 0; else set --; fi
  "$server" "$work/conf" "$@" --port 0 --unixsocket "$work/socket" --unixsocketperm 700 \
    --daemonize no --supervised no --dir "$work" --logfile '' --pidfile "$work/pid" \
    --replicaof no one --cluster-enabled no --appendonly no --save '' >"$work/log" 2>&1 9>&- &
  pid=$! tries=100
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do
    if [ -S "$work/socket" ]; then
      kill -9 "$pid" && { wait "$pid" 2>/dev/null || true; }
      rm -rf -- "$work"
      return 0
    fi
    tries=$((tries - 1))
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  # it may quote the line of a password
  grep -v -e "requirepass" -e "masterauth" "$work/log" | grep -v -e '^$' -e '^>>> .include' |
    tail -n 5 >&2 || true
  rm -rf -- "$work"
  return 1
}

check() { # FILE CONTENT: whether the server accepts the settings with that content of one
  checked=$1
  case $2 in /*) content=$2 ;; *) content=$PWD/$2 ;; esac
  all=$(mktemp)
  whole >"$all" || { rm -f "$all" && exit 1; }
  if accepts "$all"; then rm -f "$all"; else
    rm -f "$all"
    die "the server refuses the settings with this ${checked%.conf}; the old ones stay"
  fi
}

is_rendered() {
  whole | cmp -s - "$own" && grep -qxF "include $own" "$config"
}

render() {
  whole >"$own.new" || die 'the settings cannot be put together'
  if ! accepts "$own.new"; then
    rm -f "$own.new"
    die 'the server refuses the settings; the old ones stay'
  fi
  chgrp "$group" "$own.new" && chmod 640 "$own.new" && mv -f "$own.new" "$own"
  # the last line wins, and the server itself may have written others after it
  file=$({ grep -vxF "include $own" "$config" || true; } && echo "include $own")
  # as the user who owns it, who may own its directory too; on Arch both may be root's
  writer=$group
  if [ "$(stat -c %U -- "${config%/*}")" = root ]; then writer=$(stat -c %U -- "$config"); fi
  printf '%s\n' "$file" | runuser -u "$writer" -- sh -c 'cat >"$0"' "$config"
}

port() { # of the server that runs
  number=$(cat "$config" "$loaded" 2>/dev/null | sed -n 's/^port //p' | tail -n 1)
  echo "${number:-6379}"
}

ask() { # the answers to commands from the input; `secret` is how the server knows us
  { if [ -n "$secret" ]; then printf 'AUTH %s\n' "$secret"; fi && cat; } |
    "$cli" -p "$(port)" 2>/dev/null | { if [ -n "$secret" ]; then sed 1d; else cat; fi; }
}

login() { # the password that the server has: that of before, the new one, or none
  for file in "$loaded" "$own" /dev/null; do
    secret=$(sed -n 's/^requirepass //p' "$file" 2>/dev/null) || secret=
    case $(echo PING | ask | tail -n 1) in PONG) return 0 ;; esac
  done
  return 1
}

ready() { # waits until the server answers
  tries=300
  until login; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then die "the server does not answer: see its log"; fi
    sleep 0.2
  done
}

restart() {
  if [ -d /run/systemd/system ]; then
    systemctl restart "$service" || die "$service does not start: see journalctl -u $service"
  elif command -v rc-service >/dev/null 2>&1; then
    rc-service "$service" restart
  else
    service "$service" restart
  fi 9>&-
}

# The server that runs gets what changed, without a restart where it can.
load() {
  ready
  : >>"$loaded"
  commands=$(
    {
      sed 's/^/-/' "$loaded"
      sed 's/^/+/' "$own"
    } | awk '
      { sign = substr($0, 1, 1); line = substr($0, 2); name = line; sub(/ .*/, "", name) }
      name == "" || name ~ /^#/ { next }
      sign == "-" { old[line] = 1; were[name] = 1; next }
      { new[line] = 1; count[name]++; rest[name] = substr(line, length(name) + 2)
        if (!(line in old)) changed[name] = 1 }
      END {
        for (name in were) if (!(name in count)) {
          if (name == "replicaof") print "REPLICAOF NO ONE"; else print "restart"
        }
        for (name in changed) {
          value = rest[name]
          if (name == "replicaof") { print "REPLICAOF " value; continue }
          if (count[name] > 1) { print "restart"; continue }
          if (value !~ /^".*"$/) {
            if (value ~ /["\\'"'"']/) { print "restart"; continue }
            value = "\"" value "\""
          }
          print "CONFIG SET " name " " value
        }
      }'
  )
  if printf '%s\n' "$commands" | grep -qx restart; then
    restart
  elif [ -n "$commands" ]; then
    said=$(printf '%s\n' "$commands" | ask)
    # what it cannot change while it runs
    if printf '%s\n' "$said" | grep -v -e '^$' | grep -qv '^OK'; then restart; fi
  fi
  cp "$own" "$loaded"
  ready
}

role() { # what the server says of itself, on lines
  echo 'INFO replication' | ask | tr -d '\r'
}

# HOST PORT: makes the server a replica, and leaves what a sentinel makes of it later
follow() {
  ready
  said=$(printf 'REPLICAOF %s %s\nCONFIG REWRITE\n' "$1" "$2" | ask)
  if printf '%s\n' "$said" | grep -v -e '^$' | grep -qv '^OK'; then die "the server says: $said"; fi
  echo "$1 $2" >"$parts/.followed"
}

is_following() {
  [ "$(cat "$parts/.followed" 2>/dev/null)" = "$1 $2" ]
}

wait_for_link() { # whether a replica has the data of its primary
  login && role | grep -qx 'master_link_status:up'
}

# NAME PORT: a digest of what a sentinel should know
watched() {
  {
    echo "$*"
    cat "$parts/sentinel-$1" 2>/dev/null || true
  } | sha256sum | cut -c 1-64
}

tell() { "$cli" -p "$sentinel_port" 2>/dev/null; }

is_watched() { # NAME HOST PORT QUORUM DOWN FAILOVER PARALLEL
  [ "$(cat "$parts/.sentinel-$1" 2>/dev/null)" = "$(watched "$@")" ] &&
    echo "SENTINEL GET-MASTER-ADDR-BY-NAME $1" | tell | grep -q '[0-9]'
}

watch() {
  # sentinels write it to their file without quotes, and could not read that again
  if [ -e "$parts/sentinel-$1" ] && grep -q "[[:space:]\"'\\\\]" "$parts/sentinel-$1"; then
    die 'a sentinel cannot have a password with spaces, quotes or backslashes: change it everywhere'
  fi
  tries=50
  until [ "$(echo PING | tell)" = PONG ]; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then die "the sentinel does not answer: see journalctl -u $sentinel"; fi
    sleep 0.2
  done
  if ! echo "SENTINEL GET-MASTER-ADDR-BY-NAME $1" | tell | grep -q '[0-9]'; then
    said=$(echo "SENTINEL MONITOR $1 $2 $3 $4" | tell)
    if [ "$said" != OK ]; then die "the sentinel says: $said"; fi
  fi
  said=$(
    {
      echo "SENTINEL SET $1 quorum $4"
      echo "SENTINEL SET $1 down-after-milliseconds $5"
      echo "SENTINEL SET $1 failover-timeout $6"
      echo "SENTINEL SET $1 parallel-syncs $7"
      if [ -e "$parts/sentinel-$1" ]; then
        printf 'SENTINEL SET %s auth-pass %s\n' "$1" "$(cat "$parts/sentinel-$1")"
      fi
      # what the package brings as an example
      if [ "$1" != mymaster ] &&
        echo 'SENTINEL GET-MASTER-ADDR-BY-NAME mymaster' | tell | grep -qx 127.0.0.1; then
        echo 'SENTINEL REMOVE mymaster'
      fi
    } | tell
  )
  if printf '%s\n' "$said" | grep -v -e '^$' | grep -qv '^OK'; then die "the sentinel says: $said"; fi
  watched "$@" >"$parts/.sentinel-$1"
}

command=$1
shift
case $command in
  check) check "$@" ;;
  is-rendered) is_rendered ;;
  render)
    lock
    render
    ;;
  is-loaded) cmp -s "$own" "$loaded" ;;
  load)
    lock
    load
    ;;
  is-following) is_following "$@" ;;
  follow) follow "$@" ;;
  is-linked) wait_for_link ;;
  is-watched) is_watched "$@" ;;
  watch) watch "$@" ;;
  *) die "redis-settings: unknown command $command" ;;
esac
