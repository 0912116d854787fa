# found_attributes PATH: sets owner, group and mode to those of the file
found_attributes() {
  found=$(stat -c '%U %G %a' -- "$1")
  owner=${found%% *} group=${found#* } mode=${found##* }
  group=${group% *}
  while [ ${#mode} -lt 4 ]; do mode=0$mode; done
}

# new_attributes OWNER GROUP MODE DEFAULT-MODE: sets owner, group and mode to those of a new file; only root can give files away
new_attributes() {
  owner=$1 group=$2 mode=${3:-$4}
  if [ "$(id -u)" = 0 ]; then owner=${owner:-root} group=${group:-root}; fi
}

# ensure_attributes PATH OWNER GROUP MODE: an empty word leaves that one as it is; MODE has four octal digits
ensure_attributes() {
  found_attributes "$1"
  own=
  if [ -n "$2" ] && [ "$2" != "$owner" ]; then own=$2; fi
  if [ -n "$3" ] && [ "$3" != "$group" ]; then own=$own:$3; fi
  if [ -n "$own" ]; then
    # a change of owner can clear setuid and setgid, so the mode is set anew
    chown -h -- "$own" "$1"
    chmod -- "${4:-$mode}" "$1"
    changed
  elif [ -n "$4" ] && [ "$4" != "$mode" ]; then
    chmod -- "$4" "$1"
    changed
  fi
}

# ensure_directory PATH OWNER GROUP MODE: a directory stands there, with its parents
ensure_directory() {
  if [ -L "$1" ]; then fail "$1 is a link, not a directory"; fi
  if [ -d "$1" ]; then
    ensure_attributes "$1" "$2" "$3" "$4"
    return
  fi
  new_attributes "$2" "$3" "$4" 0755
  mkdir -p -- "$1"
  changed
  ensure_attributes "$1" "$owner" "$group" "$mode"
}

# ensure_absent PATH: nothing stands there
ensure_absent() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -rf -- "$1"
    changed
  fi
}

# ensure_link PATH TARGET FORCE: a symbolic link stands there; a file gives way to it if FORCE is not empty
ensure_link() {
  if [ -L "$1" ]; then
    # the x keeps newlines at the end
    if [ "$(readlink -n -- "$1" && printf x)" = "$2x" ]; then return; fi
  elif [ -e "$1" ]; then
    if [ -z "$3" ] || [ ! -f "$1" ]; then fail "$1 is there and not a link"; fi
  fi
  ln -sfn -- "$2" "$1"
  changed
}

# ensure_file PATH OWNER GROUP MODE: a file stands there, an empty one if there was none
ensure_file() {
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    ensure_attributes "$1" "$2" "$3" "$4"
  else
    content() { :; }
    replace_file "$1" '' "$2" "$3" "$4" ''
  fi
}

# ensure_content PATH DIGEST OWNER GROUP MODE VERIFY: a file with what the function `content` prints
ensure_content() {
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    if [ "$(digest_of "$1")" = "$2" ]; then
      ensure_attributes "$1" "$3" "$4" "$5"
      return
    fi
    found_attributes "$1"
    replace_file "$1" "$2" "${3:-$owner}" "${4:-$group}" "${5:-$mode}" "$6"
  else
    replace_file "$@"
  fi
}

digest_of() {
  sum=$(sha256sum <"$1")
  printf %s "${sum%% *}"
}

# replace_file PATH DIGEST OWNER GROUP MODE VERIFY: the new file is whole, on disk and verified before it takes the place of the old one
replace_file() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then fail "$1 is a directory, not a file"; fi
  if [ ! -d "${1%/*}/" ]; then fail "there is no directory ${1%/*} for $1"; fi
  new_attributes "$3" "$4" "$5" 0644
  (
    temporary=$(mktemp "${1%/*}/.pallet.XXXXXX")
    trap 'rm -f -- "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    content >"$temporary"
    if [ -n "$2" ] && [ "$(digest_of "$temporary")" != "$2" ]; then fail "the content of $1 did not arrive whole"; fi
    own=$owner${group:+:$group}
    [ -z "$own" ] || chown -- "$own" "$temporary"
    chmod -- "$mode" "$temporary"
    [ -z "$6" ] || sh -c "$6 \"\$1\"" sh "$temporary" >&2 || fail "the new content of $1 was refused by: $6"
    sync -- "$temporary" 2>/dev/null || sync
    mv -f -- "$temporary" "$1"
    if [ -e /sys/fs/selinux/enforce ]; then restorecon -- "$1"; fi
  )
  changed
}
