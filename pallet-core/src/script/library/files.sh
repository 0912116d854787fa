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
  if [ "$uid" = 0 ]; then owner=${owner:-root} group=${group:-root}; fi
}

# ensure_attributes PATH OWNER GROUP MODE: an empty word leaves that one as it is; MODE has four octal digits
ensure_attributes() {
  if [ -z "$2$3$4" ]; then return; fi
  found_attributes "$1"
  own=
  if [ -n "$2" ] && [ "$2" != "$owner" ]; then own=$2; fi
  if [ -n "$3" ] && [ "$3" != "$group" ]; then own=$own:$3; fi
  if [ -n "$own" ]; then
    # a change of owner can clear setuid and setgid, so the mode is set anew; with five digits it clears them too
    chown -h -- "$own" "$1"
    chmod -- "0${4:-$mode}" "$1"
    changed
  elif [ -n "$4" ] && [ "$4" != "$mode" ]; then
    chmod -- "0$4" "$1"
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
  mkdir -p -m "$mode" -- "$1"
  changed
  # it can have its group and a bit of its mode from where it stands
  if [ -g "${1%/*}/" ] || [ "$uid $owner $group" != '0 root root' ]; then ensure_attributes "$1" "$owner" "$group" "$mode"; fi
}

# ensure_absent PATH: nothing stands there
ensure_absent() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -rf -- "$1"
    forget_written "$1"
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
    forget_written "$1"
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

# ensure_fifo PATH OWNER GROUP MODE: a named pipe stands there
ensure_fifo() {
  if [ -p "$1" ] && [ ! -L "$1" ]; then
    ensure_attributes "$1" "$2" "$3" "$4"
    return
  fi
  if [ -e "$1" ] || [ -L "$1" ]; then fail "$1 is there and not a named pipe"; fi
  new_attributes "$2" "$3" "$4" 0644
  mkfifo -m 0600 -- "$1"
  changed
  ensure_attributes "$1" "$owner" "$group" "$mode"
}

# ensure_content PATH DIGEST OWNER GROUP MODE VERIFY [VERSIONS [OVERWRITE]]: a file with what the function `content` prints, or writes to the
# path that it is given. Without DIGEST, `is_right PATH` tells whether the file has it. So many older versions are kept. A file that was
# changed by hand is kept, unless OVERWRITE is not empty.
ensure_content() {
  if [ -n "${batch_before-}" ]; then "$batch_before" "$1"; fi
  if [ ! -f "$1" ] || [ -L "$1" ]; then
    replace_file "$@"
    return
  fi
  digest_of "$1"
  if { [ -n "$2" ] && [ "$digest" = "$2" ]; } || { [ -z "$2" ] && is_right "$1"; }; then
    ensure_attributes "$1" "$3" "$4" "$5"
    return
  fi
  if [ -z "${8-}" ]; then
    was_written "$1"
    if [ -n "$written" ] && [ "$written" != "$digest" ]; then
      drifted
      return
    fi
  fi
  found_attributes "$1"
  replace_file "$1" "$2" "${3:-$owner}" "${4:-$group}" "${5:-$mode}" "$6" "${7-}"
}

# digest_of PATH: sets digest to the SHA-256 digest of a file
digest_of() {
  digest=$(sha256sum <"$1")
  digest=${digest%% *}
}

# same_content PATH PATH
same_content() {
  if command -v cmp >/dev/null 2>&1; then cmp -s -- "$1" "$2"; else [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]; fi
}

# received DIGEST PATH: prints an upload to the file at PATH, whole
received() {
  cat -- "$incoming/$1"
  digest_of "$2"
  if [ "$digest" != "$1" ]; then fail "content with SHA-256 $1 did not arrive whole"; fi
}

# replace_file PATH DIGEST OWNER GROUP MODE VERIFY [VERSIONS]: the new file is whole, on disk and verified before it takes the place of the
# old one, of which so many older versions are kept (5 if none is said). Its content is what the function `content` prints, or writes to the
# path that it is given; its DIGEST is remembered, and where it is empty, only if Pallet wrote the file before. If `unless_same` is not empty, a file
# that has this content already stays, and `same` is not empty afterwards.
replace_file() {
  same=''
  temporary=${1%/*}/.pallet.${token:-$$}
  if [ -d "$1" ] && [ ! -L "$1" ]; then fail "$1 is a directory, not a file"; fi
  if [ ! -d "${1%/*}/" ]; then fail "there is no directory ${1%/*} for $1"; fi
  new_attributes "$3" "$4" "$5" 0644
  if [ -n "${batch_takes-}" ] && "$batch_takes" "$1" "$2" "$6"; then
    "$batch_holds" "$1" "$2"
    return
  fi
  (
    trap 'rm -f -- "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    umask 077
    # never through something that stands there already
    set -C
    : >"$temporary"
    set +C
    content "$temporary" >"$temporary"
    if [ -n "${unless_same-}" ] && same_content "$temporary" "$1"; then
      # that it is still there says so
      trap - EXIT
      exit 0
    fi
    # a directory can give its group to a new file
    if [ "$uid $owner $group" != '0 root root' ] || [ -g "${1%/*}/" ]; then
      own=$owner${group:+:$group}
      [ -z "$own" ] || chown -- "$own" "$temporary"
    fi
    chmod -- "$mode" "$temporary"
    [ -z "$6" ] || sh -c "$6 \"\$1\"" sh "$temporary" >&2 || fail "the new content of $1 was refused by: $6"
    keep_version "$1" "${7:-5}"
    sync -- "$temporary" 2>/dev/null || sync
    mv -f -- "$temporary" "$1"
    trap - EXIT
    if [ -e /sys/fs/selinux/enforce ]; then restorecon -- "$1"; fi
  )
  if [ -e "$temporary" ]; then
    rm -f -- "$temporary"
    same=1
    return
  fi
  record_written "$1" "$2"
  if [ -n "$2" ]; then forget_origin "$1"; fi
  replaced=1
  changed
}

# ensure_block PATH NAME LINE...: the lines stand in the file between two comments that hold NAME, at its end if there are none yet. Without LINE,
# neither do the comments.
ensure_block() {
  path=$1 begin="# begin pallet $2" end="# end pallet $2"
  shift 2
  block='' new='' inside='' there=''
  if [ $# -gt 0 ]; then
    block=$begin$newline
    for line do block=$block$line$newline; done
    block=$block$end$newline
  fi
  if [ -f "$path" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      if [ "$line" = "$begin" ]; then
        inside=1 there=1 new=$new$block block=''
      elif [ -n "$inside" ] && [ "$line" = "$end" ]; then
        inside=''
      elif [ -z "$inside" ]; then
        new=$new$line$newline
      fi
    done <"$path"
    if [ -n "$inside" ]; then fail "$path has no line \"$end\" after \"$begin\""; fi
    # the x keeps newlines at the end
    old=$(cat -- "$path" && printf x)
    if [ "$old" = "$new${block}x" ] || [ -z "$there$block" ]; then return; fi
    found_attributes "$path"
  else
    if [ -z "$block" ]; then return; fi
    owner='' group='' mode=''
  fi
  content() { printf %s "$new$block"; }
  replace_file "$path" '' "$owner" "$group" "$mode" ''
}
