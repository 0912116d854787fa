# Functions for changes of a part of a file.

# edit_file PATH CREATE OWNER GROUP MODE: a file has what the function `edited PATH` prints of it. A missing file is made of nothing if CREATE
# is `create`, left so if it is `leave`, and an error otherwise.
edit_file() {
  if [ -L "$1" ]; then fail "$1 is a link, not a file; name the file that it points to"; fi
  editing=$1
  content() { edited "$editing"; }
  if [ -f "$1" ]; then
    found_attributes "$1"
    unless_same=1
    replace_file "$1" '' "${3:-$owner}" "${4:-$group}" "${5:-$mode}" ''
    unless_same=''
    if [ -n "$same" ]; then ensure_attributes "$1" "$3" "$4" "$5"; fi
  elif [ -e "$1" ]; then
    fail "$1 is not a file"
  elif [ "$2" = create ]; then
    editing=/dev/null
    replace_file "$1" '' "$3" "$4" "$5" ''
  elif [ "$2" != leave ]; then
    fail "there is no file $1; create = True makes one"
  fi
}

# require_text PATH: fails if the file holds what grep and awk do not take for text, and would lose
require_text() {
  if [ -f "$1" ] && [ "$(tr -cd '\000' <"$1" | wc -c)" -gt 0 ]; then fail "$1 is not text: it holds a NUL character"; fi
}

# require_directory PATH: fails if it is a link, which root would follow to wherever its owner wants
require_directory() {
  if [ -L "$1" ]; then fail "$1 is a link, not a directory; put a directory in its place"; fi
}

# ensure_line PATH CREATE OWNER GROUP MODE LINE MATCH ITSELF WHERE PLACE ENOUGH: the line stands in the file, in the place of the last one that matches
# MATCH; else after or before (WHERE) the last one that matches PLACE; else at the end. Where MATCH does not match the line itself, ITSELF is
# empty and a line that is there already is enough; so is one that matches ENOUGH.
ensure_line() {
  require_text "$1"
  line=$6 match=$7 itself=$8 where=$9 place=${10} enough=${11}
  edited() { with_line "$1"; }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# last_match PATTERN PATH: sets number to that of the last line that matches, empty if none does
last_match() {
  number=
  if [ -z "$1" ]; then return; fi
  # through a pipe, since it may hold a secret
  number=$(printf '%s\n' "$1" | LC_ALL=C grep -nE -f - "$2") || [ $? = 1 ]
  number=${number##*"$newline"} number=${number%%:*}
  case $number in *[!0-9]*) fail "$2 is not text" ;; esac
}

with_line() {
  if [ -z "$itself" ] && printf '%s\n' "$line" | LC_ALL=C grep -qxF -f - "$1"; then
    cat "$1"
    return
  fi
  if [ -n "$enough" ] && printf '%s\n' "$enough" | LC_ALL=C grep -qE -f - "$1"; then
    cat "$1"
    return
  fi
  last_match "$match" "$1"
  found=$number
  if [ -n "$found" ]; then
    if [ "$found" -gt 1 ]; then head -n "$((found - 1))" "$1"; fi
    # the last line may have no newline
    if [ "$found" -gt "$(wc -l <"$1")" ]; then printf %s "$line"; else printf '%s\n' "$line"; fi
    tail -n "+$((found + 1))" "$1"
    return
  fi
  last_match "$place" "$1"
  if [ -z "$number" ]; then
    cat "$1"
    if [ -n "$(tail -c 1 "$1")" ]; then echo; fi
    printf '%s\n' "$line"
  elif [ "$where" = before ]; then
    if [ "$number" -gt 1 ]; then head -n "$((number - 1))" "$1"; fi
    printf '%s\n' "$line"
    tail -n "+$number" "$1"
  else
    head -n "$number" "$1"
    if [ "$number" -gt "$(wc -l <"$1")" ]; then echo; fi
    printf '%s\n' "$line"
    tail -n "+$((number + 1))" "$1"
  fi
}

# ensure_no_line PATH CREATE OWNER GROUP MODE HOW PATTERN: no line matches; HOW is -E for an expression, -xF for a line. What is left of a changed
# file ends with a newline.
ensure_no_line() {
  require_text "$1"
  how=$6 match=$7
  edited() {
    if printf '%s\n' "$match" | LC_ALL=C grep -q "$how" -f - "$1"; then
      printf '%s\n' "$match" | LC_ALL=C grep -v "$how" -f - "$1" || [ $? = 1 ]
    else
      cat "$1"
    fi
  }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# ensure_setting PATH CREATE OWNER GROUP MODE ABSENT SECTION KEY VALUE LINE: the section of an ini file sets the key to the value, with LINE where it
# does not; no line of it sets the key if ABSENT is not empty
ensure_setting() {
  require_text "$1"
  absent=$6 section=$7 key=$8 value=$9 line=${10}
  edited() {
    # what may be a secret is in the environment; it ends with 3 where there is nothing to do
    status=0
    pallet_absent=$absent pallet_section=$section pallet_key=$key pallet_value=$value pallet_line=$line \
      LC_ALL=C awk "$setting_program" "$1" || status=$?
    case $status in
      0) ;;
      3) cat "$1" ;;
      *) fail "awk failed on $1" ;;
    esac
  }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

setting_program='
function trim(text) {
  sub(/^[ \t\r]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  return text
}
BEGIN {
  absent = ENVIRON["pallet_absent"]
  # never numbers
  section = ENVIRON["pallet_section"] ""
  key = ENVIRON["pallet_key"] ""
  value = ENVIRON["pallet_value"] ""
  inside = section == ""
  # a new line goes behind the last line of the section that is not blank
  seen = inside
}
{
  lines[NR] = $0
  text = trim($0)
  if (text ~ /^\[.*\]$/) {
    inside = substr(text, 2, length(text) - 2) "" == section
    if (inside) { seen = 1; place = NR }
  } else if (inside && text != "") {
    place = NR
    if (text ~ /^[;#]/) next
    at = index(text, "=")
    name = at ? trim(substr(text, 1, at - 1)) : text
    if (name "" == key) {
      found = NR
      count++
      right = at ? trim(substr(text, at + 1)) : ""
      wrong[NR] = 1
    }
  }
}
END {
  if (absent != "") {
    if (!count) exit 3
    for (n = 1; n <= NR; n++) if (!(n in wrong)) print lines[n]
    exit
  }
  if (found && right "" == value) exit 3
  line = ENVIRON["pallet_line"]
  if (found) {
    match(lines[found], /^[ \t]*/)
    lines[found] = substr(lines[found], 1, RLENGTH) line
  } else if (seen && !place) print line
  for (n = 1; n <= NR; n++) {
    print lines[n]
    if (!found && n == place) print line
  }
  if (!seen) {
    if (NR && lines[NR] != "") print ""
    print "[" section "]"
    print line
  }
}'

# ensure_sed PATH EXTENDED PROGRAM: the file is as sed leaves it; EXTENDED is -E or empty
ensure_sed() {
  extended=$2 program=$3
  edited() { printf '%s\n' "$program" | sed ${extended:+"$extended"} -f - "$1"; }
  edit_file "$1" '' '' '' ''
}

# ensure_only_line PATH CREATE OWNER GROUP MODE LINE MATCH: the file has only lines that match; LINE where none does
ensure_only_line() {
  require_text "$1"
  line=$6 match=$7
  edited() {
    printf '%s\n' "$match" | LC_ALL=C grep -E -f - "$1" || printf '%s\n' "$line"
  }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# home_of USER: sets home and primary to the home directory and the name of the primary group
home_of() {
  primary=$(id -gn -- "$1") || fail "there is no user $1; declare user(\"$1\") before it"
  if command -v getent >/dev/null; then entry=$(getent passwd "$1"); else entry=$(grep "^$1:" /etc/passwd); fi
  home=${entry%:*} home=${home##*:}
  if [ -z "$home" ]; then fail "the user $1 has no home directory"; fi
}

# running_value PATH: sets value to that of a kernel setting, with single spaces
running_value() {
  value=$(cat "$1") || fail "there is no kernel setting $1; load its module before"
  set -f
  # shellcheck disable=SC2086
  set -- $value
  set +f
  value=$*
}

# ensure_running PATH VALUE: the kernel setting has the value now
ensure_running() {
  running_value "$1"
  if [ "$value" = "$2" ]; then return; fi
  printf '%s\n' "$2" >"$1" || fail "cannot set $1 to $2"
  changed
}

# is_mounted FIELD: whether something is mounted at the path, as the kernel writes it
is_mounted() {
  while read -r device path rest; do
    if [ "$path" = "$1" ]; then return; fi
  done </proc/self/mounts
  return 1
}

# ensure_mounted PATH FIELD: what /etc/fstab says is mounted there
ensure_mounted() {
  if is_mounted "$2"; then return; fi
  if [ ! -d "$1" ]; then mkdir -p -- "$1"; fi
  mount "$1"
  changed
}

# ensure_unmounted PATH FIELD: nothing is mounted there
ensure_unmounted() {
  while is_mounted "$2"; do
    umount "$1"
    changed
  done
}

# wait_for WHAT TIMEOUT DELAY: until the function `condition` succeeds; times are in seconds
wait_for() {
  # a clock that nobody sets
  read -r begun rest </proc/uptime
  until (condition) >/dev/null 2>&1; do
    read -r now rest </proc/uptime
    if [ $((${now%%.*} - ${begun%%.*})) -ge "$2" ]; then fail "waited $2 seconds for $1, in vain"; fi
    sleep "$3"
  done
}
