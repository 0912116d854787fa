#!/bin/sh
# Written by Pallet. Makes a backup of MariaDB, and removes the oldest ones.
#
#   sh mysql-backup KIND DIRECTORY KEEP DATABASE...   all databases if none is named
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
cnf=''
. /etc/pallet/mysql/server
kind=$1 directory=$2 keep=$3
shift 3
umask 077
new=$directory/.new
rm -rf "$new"
mkdir "$new"
if [ "$kind" = base ]; then
  mariadb-backup --defaults-file="$cnf" --user=root --backup --target-dir="$new/data"
  mariadb-backup --prepare --target-dir="$new/data"
else
  if [ $# -gt 0 ]; then
    printf '%s\n' "$@" >"$new/.list"
  else
    mariadb --defaults-file="$cnf" --user=root --protocol=socket -BNr \
      --default-character-set=utf8mb4 -e "select schema_name from information_schema.schemata
        where schema_name not in ('information_schema', 'performance_schema', 'sys')" >"$new/.list"
  fi
  while IFS= read -r database; do
    file=$new/$(printf %s "$database" | tr / _).sql
    mariadb-dump --defaults-file="$cnf" --user=root --single-transaction --routines --events \
      --triggers -- "$database" >"$file" </dev/null
    gzip "$file"
  done <"$new/.list"
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
