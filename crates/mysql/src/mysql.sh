#!/bin/sh
# Written by Pallet. Puts MariaDB's configuration in place, runs SQL, compares and sets passwords,
# and makes replicas.
#
#   sh mysql VERB ARGUMENTS
#
#   /etc/pallet/mysql/server  where the server is
#   /etc/pallet/mysql/*.cnf   the settings as they are declared
#
# The server reads zz-pallet.cnf. `apply` makes it of the declared files, if MariaDB accepts them.
# If it does not, the old one is put back, and keeps serving.
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/libexec"
parts=/etc/pallet/mysql
cnf='' confdir='' data='' service=''
. "$parts/server"
settings=$confdir/zz-pallet.cnf
mark=$parts/replica
verb=$1
shift

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

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

temporary() { # a directory that goes with this program
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 143' HUP INT TERM
}

# --- SQL ------------------------------------------------------------------------------------------

# runs what it reads; in quotes, \ is an escape, whatever the server's sql_mode says
sql() {
  { echo "set session sql_mode = 'STRICT_ALL_TABLES';" && cat; } |
    mariadb --defaults-file="$cnf" --user=root --protocol=socket --batch --raw \
      --skip-column-names --default-character-set=utf8mb4 "$@"
}

ask() { printf '%s\n' "$1" | sql; }

running() { [ "$(ask 'select 1;' 2>/dev/null)" = 1 ]; }

quoted() { # a text as SQL has it
  printf "'"
  printf %s "$1" | sed "s/\\\\/&&/g; s/'/''/g"
  printf "'"
}

password() {
  case ${PALLET_PASSWORD-} in
    '') die 'the password is empty' ;;
    *[!\ -~]*) die 'the password has a character that is not printable ASCII; choose another' ;;
  esac
}

# --- settings -------------------------------------------------------------------------------------

declared() { # the settings as they should be
  echo "# written by pallet from the files in $parts: changes here are lost"
  echo '[mariadbd]'
  for part in "$parts"/*.cnf; do
    if [ -e "$part" ]; then cat "$part"; fi
  done
}

is_applied() { [ ! -e "$parts/.applying" ] && declared | cmp -s - "$settings"; }

# writes the whole configuration to $work/all.cnf, with the settings in $1
whole() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '!includedir'*)
        directory=$(printf '%s\n' "$line" | sed 's/^!includedir[[:space:]]*//; s/[[:space:]]*$//')
        for file in "${directory%/}"/*.cnf; do
          if [ "$file" = "$settings" ]; then
            echo "!include $1"
          elif [ -e "$file" ]; then
            echo "!include $file"
          fi
        done
        if [ "${directory%/}" = "$confdir" ] && [ ! -e "$settings" ]; then echo "!include $1"; fi
        ;;
      *) printf '%s\n' "$line" ;;
    esac
  done <"$cnf" >"$work/all.cnf"
}

# lets MariaDB read the whole configuration; what would be in effect is in $work/values
check() {
  declared >"$work/declared.cnf"
  whole "$work/declared.cnf"
  status=0
  # it must not open the tables of the running server, so it does not know of installed plugins
  set -- --skip-grant-tables
  for plugin in $(ask 'select distinct dl from mysql.plugin;' 2>/dev/null); do
    set -- "$@" "--plugin-load-add=$plugin"
  done
  mariadbd --defaults-file="$work/all.cnf" --user=mysql "$@" --help --verbose \
    >"$work/help" 2>"$work/said" || status=$?
  wrong=$(grep -E '\[ERROR\]|adjusted to|[Uu]nknown (variable|option|suffix)' "$work/said" |
    sed "s|$work/declared.cnf|$settings|g") || :
  if [ "$status" != 0 ] || [ -n "$wrong" ]; then
    printf '%s\n' "${wrong:-$(tail -n 5 "$work/said")}" >&2
    die "MariaDB refuses the settings; nothing was changed"
  fi
  awk 'seen && /^[a-z]/ { name = $1; gsub(/-/, "_", name); sub(/^[^ ]+ +/, "")
      print name " = " $0 } /^-----/ { seen = 1 }' "$work/help" >"$work/values"
}

# the last value of each setting of a file
last_values() {
  awk '$2 == "=" { value[$1] = $0 } END { for (name in value) print value[name] }' "$1"
}

changed() { # the names of settings that differ between $1 and the declared ones
  { last_values "$1"; last_values "$work/declared.cnf"; } | sort | uniq -u |
    cut -d ' ' -f 1 | sort -u
}

# sets a variable of the running server to what the configuration says, if it can be set
set_live() { # NAME
  value=$(sed -n "s/^$1 = //p" "$work/values" | head -n 1)
  case $value in
    '' | '(No default value)') return 1 ;;
    TRUE) value=1 ;;
    FALSE) value=0 ;;
    *[!0-9]*) value=$(quoted "$value") ;;
  esac
  ask "set global $1 = $value;"
}

answers() {
  tries=0
  until running; do
    tries=$((tries + 1))
    [ "$tries" -le 60 ] || return 1
    sleep 0.5
  done
}

activate() { # $1 holds the settings that the server has now
  if running; then
    restart=no
    names=$(changed "$1")
    for name in $names; do
      kind=$(ask "select read_only from information_schema.system_variables
        where variable_name = '$name';")
      [ "$kind" = NO ] || restart=yes
    done
    if [ "$restart" = no ]; then
      for name in $names; do
        set_live "$name" 2>"$work/refused" || restart=yes
      done
    fi
    [ "$restart" = no ] || { serve restart && answers; }
  else
    serve start && answers
  fi
}

put() { # FROM: puts the settings in place
  cp "$1" "$settings.pallet"
  chown root:mysql "$settings.pallet"
  chmod 640 "$settings.pallet"
  mv -f "$settings.pallet" "$settings"
}

apply() {
  temporary
  check
  # what served before, also if an earlier run was killed
  if [ ! -e "$parts/.applying" ]; then
    rm -f "$parts/.settings"
    : >"$parts/.settings"
    if [ -e "$settings" ]; then cp -p "$settings" "$parts/.settings"; fi
    : >"$parts/.applying"
  fi
  cp "$work/declared.cnf" "$work/new.cnf"
  put "$work/new.cnf"
  if ! activate "$parts/.settings"; then
    { journalctl -n 12 --no-pager -o cat -u "$service" | grep -F '[ERROR]'; } >&2 2>/dev/null || :
    put "$parts/.settings"
    serve stop >/dev/null 2>&1 || :
    if serve start && answers; then
      rm -f "$parts/.applying" "$parts/.settings"
      die 'MariaDB does not start with the settings; the old ones serve again'
    fi
    die 'MariaDB does not start with the settings, nor with the old ones'
  fi
  rm -f "$parts/.applying" "$parts/.settings"
}

# --- users ----------------------------------------------------------------------------------------

native() { # the hash of mysql_native_password
  once=$(printf %s "$PALLET_PASSWORD" | sha1sum | cut -d ' ' -f 1)
  # hexadecimal digits to octal escapes, which every printf knows
  octal=$(printf %s "$once" | awk '{ digits = "0123456789abcdef"
    for (i = 1; i < length($0); i += 2) printf "\\%03o",
      (index(digits, substr($0, i, 1)) - 1) * 16 + index(digits, substr($0, i + 1, 1)) - 1 }')
  printf "*%s" "$(printf "$octal" | sha1sum | cut -d ' ' -f 1 | tr a-f A-F)"
}

field() { # USER HOST FIELD: of a user, as the server has it
  ask "select coalesce(json_value(priv, '\$.$3'), '') from mysql.global_priv
    where user = $(quoted "$1") and host = $(quoted "$2");"
}

digest() { # USER HOST SALT: what a password and its hash in the server make together
  { printf '%s\n%s\n' "$3" "$(field "$1" "$2" authentication_string)"
    printf '%s\n' "$PALLET_PASSWORD"; } | sha256sum | cut -d ' ' -f 1
}

note() { # USER HOST: where the digest of a password of another plugin is
  printf '%s/.passwords/%s' "$parts" "$(printf '%s@%s' "$1" "$2" | sha256sum | cut -c 1-32)"
}

has_password() { # USER HOST PLUGIN
  password
  [ "$(field "$1" "$2" plugin)" = "$3" ] || return 1
  if [ "$3" = mysql_native_password ]; then
    [ "$(field "$1" "$2" authentication_string)" = "$(native)" ]
  else
    file=$(note "$1" "$2")
    [ -e "$file" ] && read -r salt known <"$file" && [ "$(digest "$1" "$2" "$salt")" = "$known" ]
  fi
}

load_ed25519() { # on each server of a replication: this is not replicated
  [ "$(ask "select count(*) from information_schema.plugins
    where plugin_name = 'ed25519' and plugin_status = 'ACTIVE';")" = 1 ] ||
    ask "set session sql_log_bin = 0; delete from mysql.plugin where name = 'ed25519';
      install soname 'auth_ed25519';"
}

set_password() { # USER HOST PLUGIN
  password
  who="$(quoted "$1")@$(quoted "$2")"
  if [ "$3" = mysql_native_password ]; then
    ask "alter user $who identified via mysql_native_password using '$(native)';"
    return
  fi
  [ "$3" != ed25519 ] || load_ed25519
  # only the server can make the hash; replicas and the binary log get the hash alone
  ask "set session sql_log_bin = 0;
    alter user $who identified via $3 using password($(quoted "$PALLET_PASSWORD"));"
  ask "alter user $who identified via $3
    using $(quoted "$(field "$1" "$2" authentication_string)");"
  (
    umask 077
    mkdir -p "$parts/.passwords"
    salt=$(od -An -v -tx1 -N 16 /dev/urandom | tr -d ' \n')
    printf '%s %s\n' "$salt" "$(digest "$1" "$2" "$salt")" >"$(note "$1" "$2")"
  )
}

# whether a user has all of these privileges, or none, on exactly this, as SHOW GRANTS names it
has_grant() { # all|none USER HOST ON OPTION PRIVILEGE...
  which=$1 who="$(quoted "$2")@$(quoted "$3")" on=$4 option=$5
  shift 5
  wanted=$(printf '%s\n' "$@")
  ask "show grants for $who;" | WHICH=$which ON=$on OPTION=$option WANTED=$wanted awk '
    { start = index($0, " ON " ENVIRON["ON"] " TO ")
      if (!start || substr($0, 1, 6) != "GRANT ") next
      count = split(substr($0, 7, start - 7), list, ", ")
      for (i = 1; i <= count; i++) if (list[i] != "USAGE") { has[list[i]] = 1; any = 1 }
      if ($0 ~ / WITH GRANT OPTION/) grants = 1 }
    END {
      count = split(ENVIRON["WANTED"], list, "\n")
      for (i = 1; i <= count; i++) {
        has_it = list[i] in has || "ALL PRIVILEGES" in has
        if (ENVIRON["WHICH"] == "all" && !has_it) exit 1
        if (ENVIRON["WHICH"] == "none" && (has_it || (list[i] == "ALL PRIVILEGES" && any))) exit 1
      }
      if (ENVIRON["OPTION"] == "yes" && !grants) exit 1 }'
}

# --- replicas -------------------------------------------------------------------------------------

status() { # NAME: of the replication
  printf '%s\n' 'show slave status\G' |
    mariadb --defaults-file="$cnf" --user=root --protocol=socket --batch --raw |
    sed -n "s/^ *$1: //p"
}

follows() { # HOST PORT USER: the replication is set up like this
  [ "$(status Master_Host)" = "$1" ] && [ "$(status Master_Port)" = "$2" ] &&
    [ "$(status Master_User)" = "$3" ] && [ "$(status Using_Gtid)" = Slave_Pos ] &&
    [ "$(sed -n 6p "$data/master.info")" = "$PALLET_PASSWORD" ]
}

is_replica() {
  password
  [ -e "$mark" ] || return 1
  [ -n "$(status Master_Host)" ] || die "the server was promoted, so it stays a primary; to" \
    "make it a replica again, drop its databases and remove $mark"
  follows "$@"
}

load() { # the databases of the primary
  mariadb-dump --defaults-file="$work/client.cnf" --all-databases --single-transaction \
    --master-data=1 --gtid --routines --events --triggers --flush-privileges >"$work/dump" &&
    { echo 'set session sql_log_bin = 0; stop slave; reset slave all;' &&
      cat "$work/dump"; } | sql
}

replicate() { # HOST PORT USER TIMEOUT
  if [ -e "$mark" ] && is_replica "$1" "$2" "$3"; then return 0; fi
  temporary
  if [ ! -e "$mark" ]; then
    own=$(ask "select group_concat(schema_name) from information_schema.schemata where schema_name
      not in ('mysql', 'information_schema', 'performance_schema', 'sys');")
    [ "$own" = NULL ] || [ -e "$parts/.loading" ] ||
      die "the server has databases of its own, which a replica cannot have: $own; drop them"
    (
      umask 077
      printf '[client]\nhost=%s\nport=%s\nuser=%s\npassword="%s"\n' "$1" "$2" "$3" \
        "$(printf %s "$PALLET_PASSWORD" | sed 's/\\/&&/g; s/"/\\"/g')" >"$work/client.cnf"
    )
    end=$(($(date +%s) + $4))
    until said=$(mariadb --defaults-file="$work/client.cnf" -e 'select @@gtid_binlog_pos' 2>&1); do
      [ "$(date +%s)" -lt "$end" ] || die "the primary did not let the replica in: $said"
      sleep 1
    done
    [ "$(ask 'select @@log_bin;')" = 0 ] || ask 'reset master;'
    : >"$parts/.loading"
    # a database that is created meanwhile makes a dump that cannot be loaded
    tries=1
    until load; do
      [ "$tries" -lt 3 ] ||
        die 'the primary could not be copied; has its user the privileges of mysql.replicator?'
      tries=$((tries + 1))
      sleep 2
    done
    # for users that the primary has or gets; some systems do not have the plugin
    load_ed25519 2>/dev/null || :
  fi
  ask "stop slave;
    change master to master_host = $(quoted "$1"), master_port = $2, master_user = $(quoted "$3"),
      master_password = $(quoted "$PALLET_PASSWORD"), master_connect_retry = 10,
      master_use_gtid = slave_pos;
    start slave;"
  : >"$mark"
  rm -f "$parts/.loading"
}

case $verb in
  is-applied) is_applied ;;
  apply) apply ;;
  run) printf '%s\n' "$1" | sql ;;
  holds) [ "$(printf '%s\n' "$1" | sql)" = 1 ] ;;
  has-password) has_password "$@" ;;
  set-password) set_password "$@" ;;
  has-grant) has_grant all "$@" ;;
  has-no-grant) has_grant none "$@" ;;
  is-replica) is_replica "$@" ;;
  replicate) replicate "$@" ;;
  *) die "unknown verb $verb" ;;
esac
