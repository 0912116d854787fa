#!/bin/sh
# clean-trials.sh PALLET_CLI DATA   destroys the nodes that `pallet-cli test` left in a data directory, such as ~/.local/share/pallet
set -eu
cli=$1
for project in "$2"/sandbox/trial-*; do
  [ -d "$project" ] || continue
  name=${project##*/}
  # the name ends with the process that made it, which may still run
  if [ -e "/proc/${name##*-}" ]; then continue; fi
  # the nodes belong to the directory of the trial, which may be gone
  place=$(cat "$project/.owner" 2>/dev/null || :)
  if [ ! -e "$place/pallet.toml" ]; then place=$(mktemp -d); fi
  printf '[project]\nname = "%s"\n' "$name" >"$place/pallet.toml"
  "$cli" -C "$place" --service nodes down --yes || continue
  rm -rf "$place"
done
