#!/bin/sh
# Written by Pallet. Puts PostgreSQL's configuration in place, runs SQL, compares and sets
# passwords, makes replicas and backups.
#
#   sh postgresql VERB CLUSTER ARGUMENTS
#
#   /etc/pallet/postgresql/CLUSTER/cluster  where the cluster is
#   /etc/pallet/postgresql/CLUSTER/*.conf   the settings as they are declared
#   /etc/pallet/postgresql/CLUSTER/hba      pg_hba.conf as it is declared
#
# The server reads conf.d/zz-pallet.conf and pg_hba.conf. `apply` makes them of the declared files,
# if PostgreSQL accepts them. If it does not, the old ones are put back, and keep serving.
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
program=/usr/local/lib/pallet/postgresql
verb=$1 cluster=$2
shift 2
parts=/etc/pallet/postgresql/$cluster
user=postgres
bin='' conf='' data='' service='' home=''
. "$parts/cluster"
settings=$conf/conf.d/zz-pallet.conf
hba=$conf/pg_hba.conf
passfile=$home/.pallet-$cluster.pgpass
mark=$parts/replica

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# this program as the user of PostgreSQL
as_user() { su -s /bin/sh -c 'exec sh "$@"' "$user" sh "$program" "$1" "$cluster"; }

serve() { # start, stop or restart the service
  if [ -d /run/systemd/system ]; then
    systemctl reset-failed "$service" 2>/dev/null || :
    systemctl "$1" "$service"
  elif command -v rc-service >/dev/null 2>&1; then
    rc-service "$service" "$1"
  else
    service "$service" "$1"
  fi
}

# --- asking the server, as its user ---------------------------------------------------------------

running() { "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }

locate() { # finds the socket of the server
  port='' host=''
  if [ -r "$data/postmaster.pid" ]; then
    { read -r _ && read -r _ && read -r _ && read -r port && read -r host; } \
      <"$data/postmaster.pid" || :
  fi
  [ -n "$port" ] && [ -n "$host" ] ||
    die "the cluster $cluster does not run, or has no unix socket; start it with postgresql.service"
}

sql() { # -d DATABASE: runs what it reads
  locate
  "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -h "$host" -p "$port" -U "$user" "$@"
}

ask() { printf '%s\n' "$1" | sql -d postgres; }

# the password, in hexadecimal, as an option of the session: no statement holds it
password() {
  case ${PALLET_PASSWORD-} in
    '') die 'the password is empty' ;;
    *[!\ -~]*) die 'the password has a character that is not printable ASCII; choose another' ;;
  esac
  PGOPTIONS="-c pallet.password=$(printf %s "$PALLET_PASSWORD" | od -An -v -tx1 | tr -d ' \n')"
  # and no log holds its verifier
  PGOPTIONS="$PGOPTIONS -c log_statement=none -c log_min_duration_statement=-1"
  PGOPTIONS="$PGOPTIONS -c log_min_error_statement=panic"
  export PGOPTIONS
}

verifier() { cat "$(dirname "$program")/postgresql-scram.sql"; }

# --- settings and pg_hba.conf ---------------------------------------------------------------------

declared() { # the settings as they should be
  echo "# written by pallet from the files in $parts: changes here are lost"
  for part in "$parts"/*.conf; do
    if [ -e "$part" ]; then cat "$part"; fi
  done
}

includes() { grep -Eq "^[[:space:]]*include_dir[[:space:]=]+'conf\.d'" "$conf/postgresql.conf"; }

is_applied() {
  [ ! -e "$parts/.applying" ] && includes && declared | cmp -s - "$settings" &&
    { [ ! -e "$parts/hba" ] || cmp -s "$parts/hba" "$hba"; }
}

# as the user: lets PostgreSQL read the whole configuration, without effect
check() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/conf.d"
  for file in "$conf"/*; do
    [ "$file" = "$conf/conf.d" ] || ln -s "$file" "$work/"
  done
  for file in "$conf"/conf.d/*.conf; do
    [ ! -e "$file" ] || [ "$file" = "$settings" ] || ln -s "$file" "$work/conf.d/"
  done
  declared >"$work/conf.d/zz-pallet.conf"
  if ! includes; then
    rm "$work/postgresql.conf"
    { cat "$conf/postgresql.conf" && echo "include_dir 'conf.d'"; } >"$work/postgresql.conf"
  fi
  said=$("$bin/postgres" -D "$data" -c config_file="$work/postgresql.conf" -C port 2>&1) || {
    printf '%s\n' "$said" | sed "s|$work|$conf|g" >&2
    die "PostgreSQL refuses the settings of the cluster $cluster; nothing was changed"
  }
}

put() { # FROM PATH: replaces a file, which keeps its owner
  cp "$1" "$2.pallet"
  chown "$user:" "$2.pallet"
  chmod 640 "$2.pallet"
  mv -f "$2.pallet" "$2"
}

place() { # puts what is declared in place
  mkdir -p "$conf/conf.d"
  includes || echo "include_dir 'conf.d'" >>"$conf/postgresql.conf"
  declared >"$parts/.new"
  put "$parts/.new" "$settings"
  rm -f "$parts/.new"
  if [ -e "$parts/hba" ]; then put "$parts/hba" "$hba"; fi
}

put_back() {
  if [ -e "$parts/.settings" ]; then put "$parts/.settings" "$settings"; else rm -f "$settings"; fi
  if [ -e "$parts/.hba" ]; then put "$parts/.hba" "$hba"; fi
}

# as the user: makes a running server read its files; the exit code 3 asks for a restart
reload() {
  wrong=$(ask "select 'pg_hba.conf, line ' || line_number || ': ' || error
    from pg_hba_file_rules where error is not null order by line_number")
  [ -z "$wrong" ] || die "$wrong"
  before=$(ask 'select pg_conf_load_time()')
  [ "$(ask 'select pg_reload_conf()')" = t ]
  tries=0
  while [ "$(ask 'select pg_conf_load_time()')" = "$before" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 50 ] || die 'the server did not load its configuration within 10 s'
    sleep 0.2
  done
  [ "$(ask 'select exists (select from pg_settings where pending_restart)')" = f ] || exit 3
}

# as the user: settings of ours that something else overrides
overridden() {
  wrong=$(ask "select s.name || ' is also set in ' || coalesce(s.sourcefile, s.source)
      || ', which wins; remove it there'
    from pg_settings s
    where s.sourcefile is distinct from '$settings' and not s.pending_restart
      and s.source in ('configuration file', 'command line', 'environment variable')
      and lower(s.name) in (select lower(name) from pg_file_settings
        where sourcefile = '$settings')")
  [ -z "$wrong" ] || die "$wrong"
}

answers() { # waits until the server answers
  tries=0
  until as_user ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -le 60 ] || return 1
    sleep 0.5
  done
}

activate() {
  if as_user running; then
    status=0
    as_user reload || status=$?
    case $status in
      0) ;;
      3) { serve restart && answers; } || why ;;
      *) return 1 ;;
    esac
  else
    { serve start && answers; } || why
  fi
}

why() { # shows why the server did not start
  { tail -n 20 "/var/log/postgresql/postgresql-$cluster.log" 2>/dev/null ||
    journalctl -n 20 --no-pager -o cat -u "$service"; } |
    grep -E 'FATAL|PANIC|DETAIL|HINT' | tail -n 5 >&2 || :
  return 1
}

apply() {
  as_user check
  # what served before, also if an earlier run was killed
  if [ ! -e "$parts/.applying" ]; then
    rm -f "$parts/.settings" "$parts/.hba"
    if [ -e "$settings" ]; then cp -p "$settings" "$parts/.settings"; fi
    cp -p "$hba" "$parts/.hba"
    : >"$parts/.applying"
  fi
  place
  if ! { activate && as_user overridden; }; then
    put_back
    if activate; then
      rm -f "$parts/.applying" "$parts/.settings" "$parts/.hba"
      die "PostgreSQL refuses the configuration of the cluster $cluster; the old one serves again"
    fi
    die "PostgreSQL refuses the configuration of the cluster $cluster, and the old one too"
  fi
  rm -f "$parts/.applying" "$parts/.settings" "$parts/.hba"
}

# --- replicas -------------------------------------------------------------------------------------

pass_line() { # as a passfile has it
  password
  printf '*:*:*:%s:' "$1"
  printf '%s\n' "$PALLET_PASSWORD" | sed 's/[\\:]/\\&/g'
}

is_replica() {
  [ -e "$mark" ] || return 1
  [ -e "$data/standby.signal" ] || die "the cluster $cluster was promoted, so it stays a primary;" \
    "to make it a replica again, drop its databases and remove $mark"
}

# as the user: nothing is lost if the data are replaced
is_empty() {
  [ "$(ask "select pg_is_in_recovery() or not exists (select from pg_database
    where datname not in ('postgres', 'template0', 'template1'))
    and not exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
    where nspname !~ '^pg_' and nspname <> 'information_schema')")" = t ] ||
    die "the cluster $cluster has databases or tables of its own, which a replica would replace;" \
      "drop them, or use another cluster"
}

# as the user, with the connection and the name of the slot in the environment
copy() {
  end=$(($(date +%s) + TIMEOUT))
  until said=$("$bin/psql" -XAtq -d "$CONNECTION replication=true" -c IDENTIFY_SYSTEM 2>&1); do
    [ "$(date +%s)" -lt "$end" ] || die "the primary did not let the replica in: $said"
    sleep 1
  done
  rm -rf "$data.pallet"
  if [ -n "$SLOT" ]; then
    "$bin/pg_receivewal" -d "$CONNECTION" --create-slot --if-not-exists -S "$SLOT"
    "$bin/pg_basebackup" -d "$CONNECTION" -D "$data.pallet" -X stream -c fast -S "$SLOT"
  else
    "$bin/pg_basebackup" -d "$CONNECTION" -D "$data.pallet" -X stream -c fast
  fi
  : >"$data.pallet/standby.signal"
}

replicate() { # CONNECTION SLOT TIMEOUT
  ! is_replica || return 0
  if as_user running; then
    as_user is-empty
  elif [ -e "$data/PG_VERSION" ]; then
    serve start
    answers
    as_user is-empty
  fi
  export CONNECTION="$1" SLOT="$2" TIMEOUT="$3"
  as_user copy
  serve stop
  rm -rf "$data.pallet-old"
  if [ -e "$data" ]; then mv "$data" "$data.pallet-old"; fi
  mv "$data.pallet" "$data"
  # where the configuration is among the data, it came from the primary
  if [ "$conf" = "$data" ]; then place; fi
  : >"$mark"
  rm -rf "$data.pallet-old"
  serve start
  answers || die "the replica $cluster does not answer; look in its log"
}

# --- backups --------------------------------------------------------------------------------------

backup() { # KIND DIRECTORY KEEP DATABASE...; all databases if none is named
  kind=$1 directory=$2 keep=$3
  shift 3
  umask 077
  locate
  new=$directory/.new
  rm -rf "$new"
  mkdir "$new"
  if [ "$kind" = base ]; then
    "$bin/pg_basebackup" -h "$host" -p "$port" -U "$user" -D "$new" -Ft -z -X stream -c fast
  else
    if [ $# -gt 0 ]; then
      printf '%s\n' "$@" >"$new/.list"
    else
      ask 'select datname from pg_database where datallowconn and not datistemplate' >"$new/.list"
    fi
    while IFS= read -r database; do
      "$bin/pg_dump" -h "$host" -p "$port" -U "$user" -Fc \
        -f "$new/$(printf %s "$database" | tr / _).dump" -d "$database"
    done <"$new/.list"
    "$bin/pg_dumpall" -h "$host" -p "$port" -U "$user" --globals-only -f "$new/globals.sql"
    rm "$new/.list"
  fi
  name=$(date -u +%Y%m%dT%H%M%SZ)
  while [ -e "$directory/$name" ]; do
    sleep 1
    name=$(date -u +%Y%m%dT%H%M%SZ)
  done
  mv "$new" "$directory/$name"
  # only what has such a name is a backup of ours
  ls "$directory" | grep -E '^[0-9]{8}T[0-9]{6}Z$' | sort -r | tail -n +$((keep + 1)) |
    while read -r old; do rm -rf "${directory:?}/$old"; done
}

case $verb in
  is-applied) is_applied ;;
  apply) apply ;;
  check) check ;;
  running) running ;;
  ping) [ "$(ask 'select true')" = t ] ;;
  reload) reload ;;
  overridden) overridden ;;
  run) printf '%s\n' "$2" | sql -d "$1" ;;
  holds) [ "$(printf '%s\n' "$2" | sql -d "$1")" = t ] ;;
  has-password)
    password
    [ "$({ verifier && printf '%s\n' '\echo :same'; } | sql -d postgres -v role="$1")" = t ]
    ;;
  set-password)
    password
    { verifier && echo 'alter role :"role" password :'\''verifier'\'; } |
      sql -d postgres -v role="$1"
    ;;
  has-passfile) pass_line "$1" | cmp -s - "$passfile" ;;
  set-passfile)
    umask 077
    pass_line "$1" >"$passfile.new"
    mv -f "$passfile.new" "$passfile"
    ;;
  is-replica) is_replica ;;
  is-empty) is_empty ;;
  copy) copy ;;
  replicate) replicate "$@" ;;
  backup) backup "$@" ;;
  *) die "unknown verb $verb" ;;
esac
