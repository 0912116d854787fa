# Functions for changes of a part of a file.

# edit_file PATH CREATE OWNER GROUP MODE: a file has what the function `edited PATH` prints of it. A missing file is made of nothing if CREATE
# is `create`, left so if it is `leave`, and an error otherwise. The command in `verify`, if any, must accept a new file.
edit_file() {
  in_place edit_at "$@"
  text_only=''
}

edit_at() {
  if [ -L "$at" ]; then fail "$1 is a link, not a file; name the file that it points to"; fi
  content() { edited "$editing"; }
  if [ -f "$at" ]; then
    if [ -n "${text_only-}" ] && [ "$(tr -cd '\000' <"$at" | wc -c)" -gt 0 ]; then fail "$1 is not text: it holds a NUL character"; fi
    # a name that nobody else can turn meanwhile
    editing=$at unless_same=1
    replace_at "$1" '' "$3" "$4" "$5" "${verify-}"
    unless_same=''
    if [ -n "$same" ]; then attributes_of "$at" "$3" "$4" "$5"; fi
  elif [ -e "$at" ]; then
    fail "$1 is not a file"
  elif [ "$2" = create ]; then
    editing=/dev/null
    replace_at "$1" '' "$3" "$4" "$5" "${verify-}"
  elif [ "$2" != leave ]; then
    fail "there is no file $1; create = True makes one"
  fi
}

# require_text: the file that is edited next must not hold what grep and awk do not take for text, and would lose
require_text() { text_only=1; }

# require_directory PATH: fails if it is a link, which root would follow to wherever its owner wants
require_directory() {
  if [ -L "$1" ]; then fail "$1 is a link, not a directory; put a directory in its place"; fi
}

# numbers_of HOW PATTERN PATH: prints the numbers of the lines that match, with a colon and more behind each; a carriage return at the end is no part of a
# line. HOW is -nE for an expression, -nxF for a line. The pattern goes through a pipe, since it may hold a secret.
numbers_of() {
  if has_returns "$3"; then
    sed "s/$return\$//" <"$3" | {
      exec 3<&0
      printf '%s\n' "$2" | grep "$1" -f - /proc/self/fd/3
    }
  else
    printf '%s\n' "$2" | grep "$1" -f - "$3"
  fi || [ $? = 1 ]
}

# ending_of PATH: sets ending to what ends a new line of the file: what ends its first one
ending_of() {
  ending=
  if has_returns "$1" && head -n 1 "$1" | grep -q "$return\$"; then ending=$return; fi
}

# ensure_line PATH CREATE OWNER GROUP MODE LINE MATCH ITSELF WHERE PLACE ENOUGH: the line stands in the file, in the place of the last one that
# matches MATCH; else after or before (WHERE) the last one that matches PLACE; else at the end. Where MATCH does not match the line itself, ITSELF
# is empty and a line that is there already is enough; so is one that matches ENOUGH.
ensure_line() {
  require_text
  line=$6 match=$7 itself=$8 where=$9 place=${10} enough=${11}
  edited() { with_line "$1"; }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# last_match PATTERN PATH: sets number to that of the last line that matches, empty if none does
last_match() {
  number=
  if [ -z "$1" ]; then return; fi
  # a shell is slow at cutting what is long
  number=$({ numbers_of -nE "$1" "$2" || echo failed; } | tail -n 1 | cut -c 1-20)
  number=${number%%:*}
  case $number in *[!0-9]*) fail "$2 is not text" ;; esac
}

with_line() {
  if { [ -z "$itself" ] && [ -n "$(numbers_of -nxF "$line" "$1" | head -c 1)" ]; } || { [ -n "$enough" ] && [ -n "$(numbers_of -nE "$enough" "$1" | head -c 1)" ]; }; then
    cat "$1"
    return
  fi
  last_match "$match" "$1"
  found=$number
  if [ -n "$found" ]; then
    if [ "$found" -gt 1 ]; then head -n "$((found - 1))" "$1"; fi
    ending=
    if has_returns "$1" && tail -n "+$found" "$1" | head -n 1 | grep -q "$return\$"; then ending=$return; fi
    # the last line may have no newline, unless it is empty
    if [ -n "$line$ending" ] && [ "$found" -gt "$(wc -l <"$1")" ]; then printf %s "$line$ending"; else printf '%s\n' "$line$ending"; fi
    tail -n "+$((found + 1))" "$1"
    return
  fi
  last_match "$place" "$1"
  ending_of "$1"
  if [ -z "$number" ]; then
    cat "$1"
    end_last_line "$1"
    printf '%s\n' "$line$ending"
  elif [ "$where" = before ]; then
    if [ "$number" -gt 1 ]; then head -n "$((number - 1))" "$1"; fi
    printf '%s\n' "$line$ending"
    tail -n "+$number" "$1"
  else
    head -n "$number" "$1"
    if [ "$number" -gt "$(wc -l <"$1")" ]; then end_last_line "$1"; fi
    printf '%s\n' "$line$ending"
    tail -n "+$((number + 1))" "$1"
  fi
}

# end_last_line PATH: prints what its last line lacks
end_last_line() {
  case $(tail -c 1 "$1" && printf x) in
    x | "${newline}x") ;;
    *"${return}x") echo ;;
    *) printf '%s\n' "$ending" ;;
  esac
}

# ensure_lines PATH CREATE OWNER GROUP MODE HOW BEGIN END WHERE PLACE VERIFY LINE...: the lines stand in the file between a line BEGIN and a line END, once.
# If these are not there yet, they go after or before (WHERE) the last line that matches PLACE, or to the end; `before` nothing is the begin of the
# file. HOW is `present`, or `absent`: nothing stands there, with BEGIN and END. VERIFY is a command that must accept a new file.
ensure_lines() {
  require_text
  # shellcheck disable=SC2016
  program='
    END {
      place = value[count - 1] == "" ? n : value[count - 1] + 0
      size = count - 5
      blocks = inside = same = 0
      for (i = 1; i <= n; i++) {
        if (text[i] == value[2]) {
          own[i] = inside = 1
          lines = 0
          same = ++blocks == 1
          if (same) place = i - 1
        } else if (inside) {
          own[i] = 1
          if (text[i] == value[3]) {
            inside = 0
            same = same && lines == size
          } else if (++lines > size || text[i] != value[3 + lines]) same = 0
        }
      }
      if (inside) exit 4
      if (value[1] == "present") {
        if (same) give()
        add(place, value[2])
        for (i = 4; i < count - 1; i++) add(place, value[i])
        add(place, value[3])
      }
      for (i = 1; i <= n; i++) if (i in own) drop(i)
      give()
    }
  '
  label=$1 how=$6 begin=$7 end=$8 where=$9 place=${10} verify=${11}
  values=$(($# - 7))$newline$how$newline$begin$newline$end$newline skip=11
  for value do
    if [ "$skip" -gt 0 ]; then skip=$((skip - 1)); else values=$values$value$newline; fi
  done
  common_program
  edited() {
    last_match "$place" "$1"
    case $where:$place:$number in
      before::) number=0 ;;
      before:*) if [ -n "$number" ]; then number=$((number - 1)); fi ;;
    esac
    edited_by_program "$1" "$values$number$newline"
  }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# ensure_no_line PATH CREATE OWNER GROUP MODE HOW PATTERN: no line matches; HOW is -E for an expression, -xF for a line. What is left of a changed
# file ends with a newline.
ensure_no_line() {
  require_text
  how=-n${6#-} match=$7
  edited() {
    if [ -z "$(numbers_of "$how" "$match" "$1" | head -n 1)" ]; then
      cat "$1"
    elif has_returns "$1"; then
      {
        numbers_of "$how" "$match" "$1" | sed 's/:.*//'
        echo
        cat "$1"
      } | awk 'inside { if (!(++line in gone)) print; next } $0 == "" { inside = 1; next } { gone[$0 + 0] = 1 }'
    else
      printf '%s\n' "$match" | grep -v "-${how#-n}" -f - "$1" || [ $? = 1 ]
    fi
  }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# ensure_sed PATH EXTENDED PROGRAM RETURNS: the file is as sed leaves it; EXTENDED is -E or empty. If RETURNS is empty, and every line ends with a carriage
# return, the program does not see those.
ensure_sed() {
  extended=$2 program=$3 returns=$4
  edited() { edited_by_sed "$1"; }
  edit_file "$1" '' '' '' ''
}

# require_user USER: fails if there is none
require_user() { id -u -- "$1" >/dev/null 2>&1 || fail "there is no user $1; declare user(\"$1\") before it"; }

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

# is_mounted FIELD: whether something is mounted at the path, as the kernel writes it: newer ones escape # too
is_mounted() {
  while read -r device path rest; do
    case $path in *'\043'*) path=$(printf '%s\n' "$path" | sed 's/\\043/#/g') ;; esac
    if [ "$path" = "$1" ]; then return; fi
  done </proc/self/mounts
  return 1
}

# ensure_mounted PATH FIELD TYPE DEVICE OPTIONS: something is mounted there; the table has no entry for it yet
ensure_mounted() {
  if is_mounted "$2"; then return; fi
  looked_up=''
  look_up "$1"
  # mount(8) would tell the kernel where it leads, and nothing would ever be found at this path
  if [ "$physical" != "$1" ]; then fail "$1 leads through a link; name where it leads: $physical"; fi
  if [ -n "$missing" ]; then ensure_directory "$1" '' '' ''; fi
  mount -t "$3" -o "$5" -- "$4" "$1"
  if ! is_mounted "$2"; then fail "$1 was mounted, and is not there: somebody exchanges names on the way to it; look who, and unmount it where it is"; fi
  changed
}

# ensure_unmounted PATH FIELD: nothing is mounted there
ensure_unmounted() {
  while is_mounted "$2"; do
    umount "$1"
    changed
  done
}

# swap_is_on DEVICE: sets device to what the kernel calls it
swap_is_on() {
  device=$(readlink -f -- "$1") || device=$1
  while read -r name rest; do
    if [ "$name" = "$device" ]; then return; fi
  done </proc/swaps
  return 1
}

# ensure_swap DEVICE OPTIONS: it is swap space in use; of the options of fstab(5), these are for swapon: pri=N, discard, discard=POLICY
ensure_swap() {
  if swap_is_on "$1"; then return; fi
  options=$2,
  set --
  while [ -n "$options" ]; do
    case $options in
      pri=*) set -- "$@" -p "$(printf %s "${options%%,*}" | cut -c 5-)" ;;
      discard,*) set -- "$@" -d ;;
      discard=*) set -- "$@" "-d$(printf %s "${options%%,*}" | cut -c 9-)" ;;
    esac
    options=${options#*,}
  done
  swapon "$@" "$device" || fail "cannot use $device as swap space; mkswap makes it fit for that"
  changed
}

# ensure_no_swap DEVICE
ensure_no_swap() {
  if ! swap_is_on "$1"; then return; fi
  swapoff "$device"
  changed
}

# wait_for WHAT TIMEOUT DELAY: until the function `condition` succeeds; times are in seconds
wait_for() {
  # a clock that nobody sets
  read -r begun rest </proc/uptime
  until (condition) >/dev/null 2>&1; do
    read -r now rest </proc/uptime
    if [ $((${now%%.*} - ${begun%%.*})) -ge "$2" ]; then fail "timed out after $2 s waiting for $1"; fi
    sleep "$3"
  done
}
