# found_attributes PATH: sets owner, group and mode to those of the file, and found_owner, found_group and found_mode too. Whoever has no name is a number.
found_attributes() {
  found=$(stat -c %u:%g:%a:%U:%G -- "$1")
  owner_number=${found%%:*} found=${found#*:}
  group_number=${found%%:*} found=${found#*:}
  mode=${found%%:*} found=${found#*:}
  owner=${found%%:*} group=${found#*:}
  if [ "$owner" = UNKNOWN ] || [ -z "$owner" ]; then owner=$owner_number; fi
  if [ "$group" = UNKNOWN ] || [ -z "$group" ]; then group=$group_number; fi
  while [ ${#mode} -lt 4 ]; do mode=0$mode; done
  found_owner=$owner found_group=$group found_mode=$mode
}

# new_attributes OWNER GROUP MODE DEFAULT-MODE: sets owner, group and mode to those of a new file; only root can give files away
new_attributes() {
  owner=$1 group=$2 mode=${3:-$4}
  if [ "$uid" = 0 ]; then owner=${owner:-root} group=${group:-root}; fi
}

# ensure_attributes PATH OWNER GROUP MODE: an empty word leaves that one as it is; MODE has four octal digits
ensure_attributes() {
  if [ -z "$2$3$4" ]; then return; fi
  if [ -d "$1" ] && [ ! -L "$1" ]; then ensure_directory "$@"; else in_place attributes_at "$@"; fi
}

attributes_at() {
  if [ -d "$at" ] && [ -n "${six-}" ]; then fail "somebody exchanges what stands at $1"; fi
  attributes_of "$at" "$2" "$3" "$4"
}

# attributes_of NAME OWNER GROUP MODE: the same, of what nobody else can put another in the place of
attributes_of() {
  if [ -z "$2$3$4" ]; then return; fi
  found_attributes "$1"
  own=
  if [ -n "$2" ] && [ "$2" != "$owner" ]; then own=$2; fi
  if [ -n "$3" ] && [ "$3" != "$group" ]; then own=$own:$3; fi
  if [ -n "$own" ]; then
    # a change of owner can clear setuid and setgid, so the mode is set anew; with five digits it clears them too
    chown -h -- "$own" "$1"
    if [ ! -L "$1" ]; then chmod -- "0${4:-$mode}" "$1"; fi
    changed
  elif [ -n "$4" ] && [ "$4" != "$mode" ] && [ ! -L "$1" ]; then
    chmod -- "0$4" "$1"
    changed
  fi
  # others may be able to write in it from now on
  if [ -d "$1" ]; then looked_up=''; fi
}

# ensure_directory PATH OWNER GROUP MODE: a directory stands there, with its parents
ensure_directory() {
  look_up "${1%/*}"
  if [ -n "$trusted" ] && [ -z "$missing" ]; then
    at=$1
  else
    at=${physical%/}/${1##*/}
  fi
  if [ -L "$at" ]; then fail "$1 is a link, not a directory; put a directory in its place"; fi
  if [ -d "$at" ]; then
    if [ -n "$trusted" ]; then
      attributes_of "$1" "$2" "$3" "$4"
    elif [ -n "$2$3$4" ]; then
      physical=$at
      reach
      attributes_of "$six/." "$2" "$3" "$4"
      leave
    fi
    return
  fi
  # the topmost that is not a directory
  way_rest=$missing/${1##*/} way_rest=${way_rest#/}
  way_path=${physical%"$missing"} way_path=${way_path%/}/${way_rest%%/*}
  if [ -e "$way_path" ] || [ -L "$way_path" ]; then fail "$way_path is not a directory; delete it, or put a directory in its place"; fi
  new_attributes "$2" "$3" "$4" 0755
  if [ -n "$trusted" ]; then
    mkdir -p -m "$mode" -- "$1"
    # it can have its group and a bit of its mode from where it stands
    if [ -g "${1%/*}/" ] || [ "$uid $owner $group" != '0 root root' ]; then attributes_of "$1" "$owner" "$group" "$mode"; fi
  else
    # what is missing is made whole, and gets its place with the topmost
    physical=${physical%"$missing"} missing=''
    reach
    work_apart "${way_rest%%/*}"
    mkdir -p -m "$mode" -- "$seven/$way_rest"
    attributes_of "$seven/$way_rest" "$owner" "$group" "$mode"
    mv -- "$new" "$six/"
    leave
  fi
  looked_up=''
  changed
}

# ensure_absent PATH: nothing stands there
ensure_absent() {
  in_place absent_at "$@"
}

absent_at() {
  if [ -n "$missing" ]; then return; fi
  if [ -d "$at" ] && [ ! -L "$at" ]; then
    require_no_mounts "${physical%/}/${1##*/}"
    # whose subdirectories are somebody else's turns names in them only
    if [ -n "${six-}" ]; then
      mv -- "$at" "$new"
      at=$new
    fi
    remove_tree "$at"
    looked_up=''
  elif [ -n "${six-}" ] && { [ -e "$at" ] || [ -L "$at" ]; }; then
    rm -f -- "$six/${1##*/}"
  elif [ -e "$at" ] || [ -L "$at" ]; then
    rm -f -- "$at"
  else
    return 0
  fi
  forget_written "$1"
  unmark_secret "$1"
  changed
}

# ensure_link PATH TARGET FORCE: a symbolic link stands there; a file gives way to it if FORCE is not empty
ensure_link() {
  in_place link_at "$@"
}

link_at() {
  require_place "$1"
  if [ -L "$at" ]; then
    # the x keeps newlines at the end
    if [ "$(readlink -n -- "$at" && printf x)" = "$2x" ]; then return; fi
  elif [ -e "$at" ]; then
    if [ -z "$3" ] || [ ! -f "$at" ]; then fail "$1 is there and not a link"; fi
    if is_mount_point "${physical%/}/${1##*/}"; then fail "$1 is busy: something is mounted there"; fi
    forget_written "$1"
  fi
  if [ -n "${six-}" ]; then
    ln -s -- "$2" "$new"
    put "$1"
  else
    ln -sfn -- "$2" "$1"
  fi
  looked_up=''
  changed
}

# ensure_file PATH OWNER GROUP MODE: a file stands there, an empty one if there was none
ensure_file() {
  in_place file_at "$@"
}

file_at() {
  if [ -f "$at" ] && [ ! -L "$at" ]; then
    attributes_of "$at" "$2" "$3" "$4"
  else
    content() { :; }
    replace_at "$1" '' "$2" "$3" "$4" ''
  fi
}

# touch_file PATH: its time is now
touch_file() {
  in_place touch_at "$1"
}

touch_at() {
  if [ -L "$at" ] || [ ! -f "$at" ]; then fail "$1 is not a file"; fi
  touch -- "$at"
  changed
}

# ensure_fifo PATH OWNER GROUP MODE: a named pipe stands there
ensure_fifo() {
  in_place fifo_at "$@"
}

fifo_at() {
  require_place "$1"
  if [ -p "$at" ] && [ ! -L "$at" ]; then
    attributes_of "$at" "$2" "$3" "$4"
    return
  fi
  if [ -e "$at" ] || [ -L "$at" ]; then fail "$1 is there and not a named pipe"; fi
  new_attributes "$2" "$3" "$4" 0644
  if [ -z "${six-}" ]; then new=$1; fi
  mkfifo -m 0600 -- "$new"
  attributes_of "$new" "$owner" "$group" "$mode"
  if [ -n "${six-}" ]; then put "$1"; fi
  changed
}

# ensure_content PATH DIGEST OWNER GROUP MODE VERIFY [VERSIONS [OVERWRITE]]: a file with what the function `content` prints, or writes to the
# path that it is given. Without DIGEST, `is_right FILE` tells whether the file has it. So many older versions are kept. A file that was
# changed by hand is kept, unless OVERWRITE is not empty.
ensure_content() {
  if [ -n "${batch_before-}" ]; then
    "$batch_before" "$1"
    if "$batch_takes" "$1" "$2" "$6"; then
      new_attributes "$3" "$4" "$5" 0644
      look_up "${1%/*}"
      require_place "$1"
      "$batch_holds" "$1" "$2"
      return
    fi
  fi
  in_place content_at "$@"
}

content_at() {
  if [ ! -f "$at" ] || [ -L "$at" ]; then
    replace_at "$@"
    return
  fi
  digest_of "$at"
  if { [ -n "$2" ] && [ "$digest" = "$2" ]; } || { [ -z "$2" ] && is_right "$at"; }; then
    attributes_of "$at" "$3" "$4" "$5"
    return
  fi
  if [ -z "${8-}" ]; then
    was_written "$1"
    if [ -n "$written" ] && [ "$written" != "$digest" ]; then
      drifted
      return
    fi
  fi
  replace_at "$1" "$2" "$3" "$4" "$5" "$6" "${7-}"
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
# old one, of which so many older versions are kept (5 if none is said), and whose owner, group, mode, ACL and other attributes it has where nothing
# else is said. Its content is what the function `content` prints, or writes to the path that it is given; its DIGEST is remembered, and where it is
# empty, only if Pallet wrote the file before, or `remember` is not empty. If `unless_same` is not empty, a file that has this content already stays,
# and `same` is not empty afterwards.
replace_file() {
  in_place replace_at "$@"
}

replace_at() {
  same='' there=''
  require_place "$1"
  if [ -d "$at" ] && [ ! -L "$at" ]; then fail "$1 is a directory, not a file"; fi
  if [ -f "$at" ] && [ ! -L "$at" ]; then
    there=1
    found_attributes "$at"
    new_attributes "${3:-$owner}" "${4:-$group}" "${5:-$mode}" 0644
  else
    new_attributes "$3" "$4" "$5" 0644
  fi
  (
    trap 'rm -f -- "$new" "$spare"' EXIT
    trap 'exit 1' HUP INT TERM
    umask 077
    # in a directory of ours it goes with that
    if [ -z "${six-}" ]; then will_make "$new"; fi
    # never through something that stands there already
    set -C
    : >"$new"
    set +C
    content "$new" >"$new"
    if [ -n "${unless_same-}" ] && same_content "$new" "$at"; then
      # that it is still there says so
      trap - EXIT
      exit 0
    fi
    dress "$1"
    [ -z "$6" ] || sh -c "$6 \"\$1\"" sh "$new" >&2 || fail "the new content of $1 was refused by: $6"
    keep_version "$1" "${7:-5}" "$at"
    digest=$2
    if [ -z "$digest" ]; then
      was_written "$1"
      if [ -n "$written${remember-}" ]; then digest_of "$new"; fi
      if [ "$digest" = "$written" ]; then digest=''; fi
    fi
    if [ -n "${no_versions-}" ]; then mark_secret "$1" "$2"; fi
    # who is killed from here on must not leave what looks like a change by hand
    if [ -n "$digest" ]; then record_unsure "-  $1"; else record=; fi
    sync -- "$new" ${record:+"$record"} 2>/dev/null || sync
    put "$1"
    trap - EXIT
    if [ -n "$digest" ]; then record_written "$1" "$digest"; fi
  )
  if [ -e "$new" ]; then
    rm -f -- "$new"
    same=1
    return
  fi
  if [ -n "$2" ]; then
    forget_origin "$1"
    if [ -z "${no_versions-}" ]; then unmark_secret "$1"; fi
  fi
  replaced=1
  changed
}

# require_kind PATH KINDS: what stands there is of one of the kinds, which are `file`, `link` and `pipe`
require_kind() {
  if [ -L "$1" ]; then
    kind=link
  elif [ -f "$1" ]; then
    kind=file
  elif [ -p "$1" ]; then
    kind=pipe
  elif [ -e "$1" ]; then
    kind=other
  else
    return 0
  fi
  case $2 in
    *$kind*) ;;
    *) fail "$1 is not a ${2%% *}; delete it with file(\"$1\", action = \"delete\") before" ;;
  esac
}

# dress PATH: gives what was made for PATH its owner, group and mode, and what more the file has that stands there
dress() {
  if [ -n "$there" ]; then
    if [ "$owner:$group:$mode" = "$found_owner:$found_group:$found_mode" ]; then
      carry "$at" "$new"
    else
      # what is between the old and the new attributes is never those of the content
      if [ -z "${six-}" ]; then will_make "$spare"; fi
      : >"$spare"
      carry "$at" "$spare"
      if [ "$owner:$group" != "$found_owner:$found_group" ]; then chown -- "$owner${group:+:$group}" "$spare"; fi
      chmod -- "$mode" "$spare"
      carry "$spare" "$new"
      rm -f -- "$spare"
    fi
    return
  fi
  # a directory can give its group to a new file
  if [ "$uid $owner $group" != '0 root root' ] || [ -n "${six-}" ] || [ -g "${1%/*}/" ]; then
    own=$owner${group:+:$group}
    [ -z "$own" ] || chown -- "$own" "$new"
  fi
  chmod -- "$mode" "$new"
  label "$new" "$1"
}

# carry FILE FILE: the second one gets owner, group, mode, ACL, extended attributes and security context of the first one
carry() {
  context=''
  if [ -e /sys/fs/selinux/enforce ]; then context=,context; fi
  # whoever is not root may not give a file away, and that is no failure
  if cp --attributes-only "--preserve=mode,ownership,xattr$context" -- "$1" "$2" 2>/dev/null; then return; fi
  # busybox, or a file system without
  numbers=$(stat -c %u:%g:%a -- "$1")
  if [ "$uid" = 0 ]; then chown -- "${numbers%:*}" "$2"; fi
  chmod -- "0${numbers##*:}" "$2"
  if command -v getfacl >/dev/null 2>&1; then
    list=$(getfacl -cnp -- "$1" 2>/dev/null) || list=''
    case $newline$list in
      *"$newline"mask:*)
        printf '%s\n' "$list" | setfacl --set-file=- -- "$2" ||
          fail 'cannot keep the ACL of a file that is replaced; install acl, or take it away with setfacl -b'
        ;;
    esac
  fi
  if command -v getfattr >/dev/null 2>&1; then
    getfattr --absolute-names -m '^(user[.]|security[.]capability)' -- "$1" 2>/dev/null | while IFS= read -r name; do
      case $name in '#'* | '') continue ;; esac
      value=$(getfattr --absolute-names --only-values -n "$name" -- "$1" | base64)
      setfattr -n "$name" -v "0s$(printf %s "$value" | tr -d '\n')" -- "$2" || fail "cannot keep the attribute $name of a file that is replaced"
    done
  fi
}

# label NAME PATH: the security context of a new file that will stand at PATH
label() {
  if [ ! -e /sys/fs/selinux/enforce ]; then return; fi
  if context=$(matchpathcon -n -- "$2" 2>/dev/null) && [ "$context" != '<<none>>' ]; then chcon -h -- "$context" "$1"; fi
}

# ensure_block PATH NAME LINE...: the lines stand in the file between two comments that hold NAME, at its end if there are none yet. Without LINE,
# neither do the comments.
ensure_block() {
  in_place block_at "$@"
}

block_at() {
  path=$1 begin="# begin pallet $2" end="# end pallet $2"
  shift 2
  block='' new_text='' inside='' there=''
  # what ends the first line of the file ends new ones
  ends=$newline return=$(printf '\r')
  if [ -f "$at" ] && [ ! -L "$at" ]; then
    IFS= read -r line <"$at" || :
    if [ "${line%"$return"}" != "$line" ]; then ends=$return$newline; fi
  fi
  if [ $# -gt 0 ]; then
    for line in "$begin" "$@" "$end"; do block=$block$line$ends; done
  fi
  if [ -L "$at" ]; then fail "$path is a link, not a file; name the file that it points to"; fi
  if [ -f "$at" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      if [ "${line%"$return"}" = "$begin" ]; then
        inside=1 there=1 new_text=$new_text$block block=''
      elif [ -n "$inside" ] && [ "${line%"$return"}" = "$end" ]; then
        inside=''
      elif [ -z "$inside" ]; then
        new_text=$new_text$line$newline
      fi
    done <"$at"
    if [ -n "$inside" ]; then fail "$path has no line \"$end\" after \"$begin\""; fi
    # the x keeps newlines at the end
    old=$(cat -- "$at" && printf x)
    if [ "$old" = "$new_text${block}x" ] || [ -z "$there$block" ]; then return; fi
  elif [ -z "$block" ]; then
    return 0
  fi
  content() { printf %s "$new_text$block"; }
  replace_at "$path" '' '' '' '' ''
}
