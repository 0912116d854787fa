#!/bin/bash
# crates-packages.sh RELEASE   prints the packages that scenarios and documents install on nodes of a release of Debian, such as bookworm
#
# They stand in crates/NAME/tests/packages and in documents.packages: one name a line, `#` before a comment, `RELEASE: NAME` for one release only.
# PALLET_BED_CRATES says where the crates are, if not in this checkout.
set -euo pipefail
home=$(cd "$(dirname "$0")" && pwd)
release=$1 crates=${PALLET_BED_CRATES:-$home/../../crates}

for list in "$home/documents.packages" "$crates"/*/tests/packages; do
  if [ ! -e "$list" ]; then continue; fi
  awk -v release="$release" -v list="$list" '
    { sub(/#.*/, ""); gsub(/[ \t\r]+/, " "); sub(/^ /, ""); sub(/ $/, "") }
    $0 == "" { next }
    /^[a-z]+: ?/ { if ($0 !~ "^" release ": ?") next; sub(/^[a-z]+: ?/, "") }
    !/^[a-z0-9][a-z0-9+.-]+$/ { print "crates-packages.sh: " list ", line " NR ": `" $0 "` is not one name of a package" >"/dev/stderr"; exit 1 }
    { print }' "$list"
done | LC_ALL=C sort -u
