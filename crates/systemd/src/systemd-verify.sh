#!/bin/sh
# systemd-verify UNIT FILE: refuses a FILE that systemd would not load as the unit UNIT, or of
# which it would ignore a line.
# systemd-verify UNIT.d/NAME.conf FILE: the same for a drop-in, which is read together with its
# unit.
set -eu
name=$1 file=$2

command -v systemd-analyze >/dev/null 2>&1 || exit 0
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT
trap 'exit 1' HUP INT TERM

# fragment UNIT: copies the unit's file to the directory
fragment() {
  for place in /etc /run /usr/local/lib /usr/lib /lib; do
    if [ -f "$place/systemd/system/$1" ]; then
      cp -- "$place/systemd/system/$1" "$directory/$unit"
      return
    fi
  done
  for place in /run/systemd/generator /run/systemd/generator.late /run/systemd/transient; do
    if [ -f "$place/$1" ]; then
      cp -- "$place/$1" "$directory/$unit"
      return
    fi
  done
  return 1
}

case $name in
  */*)
    unit=${name%%.d/*}
    # an instance may only have the file of its template
    fragment "$unit" || fragment "${unit%%@*}@.${unit##*.}" || {
      echo "there is no file of the unit $unit; install its package before" >&2
      exit 1
    }
    mkdir -- "$directory/$unit.d"
    ;;
  *) unit=$name ;;
esac
cp -- "$file" "$directory/$name"
chmod -R u=rwX,go=rX -- "$directory"

# since systemd 250; only this unit counts, and not those that it refers to
only=
if systemd-analyze --help | grep -q -e --recursive-errors; then only=--recursive-errors=no; fi
said=$(systemd-analyze verify --man=no $only "$directory/$unit" 2>&1) || {
  printf '%s\n' "$said" | sed "s|$directory/||g" >&2
  exit 1
}
