# Where something is changed. A directory is trusted if nobody but root, and whoever runs this, can turn a name on the way to it or in it: there,
# names do. In all others somebody may exchange a name for a link at any moment, so the work is done from handles: the directory is opened, the kernel
# says where that is, and what is made or looked at is under names in a directory of root's own in it, that lead nowhere else.

# look_up DIRECTORY: sets trusted to 1 if it is trusted, physical to its path without links, missing to the part of that which is not there, if one
# is not, and keeper to the owner of the last that is
look_up() {
  if [ -n "${looked_up-}" ] && [ "$looked_up" = "$1/" ]; then return; fi
  looked_up='' physical=$1 way_turns=0 way_of=$1/
  while :; do
    # every directory on the way
    way_path='' way_rest=$physical/
    set -- /
    while [ -n "$way_rest" ]; do
      way_part=${way_rest%%/*} way_rest=${way_rest#*/}
      if [ -z "$way_part" ]; then continue; fi
      way_path=$way_path/$way_part
      set -- "$@" "$way_path"
    done
    physical=${way_path:-/}
    way_stats=$(stat -c %f:%u:%h -- "$@" 2>/dev/null) || :
    trusted=1 missing='' way_open='' way_shared='' way_last='' way_link=''
    for way_path do
      way_line=${way_stats%%"$newline"*}
      if [ -z "$way_line" ]; then
        missing=${physical#"$way_last"}
        break
      fi
      case $way_stats in *"$newline"*) way_stats=${way_stats#*"$newline"} ;; *) way_stats='' ;; esac
      way_mode=$((0x${way_line%%:*})) way_line=${way_line#*:}
      keeper=${way_line%:*} way_ours=''
      # in a user namespace, root's can be another number's
      if [ "$way_path" = / ]; then way_root=$keeper; fi
      if [ "$keeper" = 0 ] || [ "$keeper" = "$uid" ] || [ "$keeper" = "$way_root" ]; then way_ours=1; fi
      # in a directory such as /tmp everybody may make names, and only their owner may turn them
      if [ -n "$way_shared" ] && [ -z "$way_ours" ] && [ -n "$trusted" ]; then trusted='' way_open=$way_last; fi
      way_shared=''
      case $((way_mode & 0170000)) in
        "$((0120000))")
          way_link=$way_path
          break
          ;;
        "$((0040000))") ;;
        *)
          missing=${physical#"$way_last"}
          break
          ;;
      esac
      if [ "$way_path" = / ]; then way_last=''; else way_last=$way_path; fi
      if [ -n "$trusted" ]; then
        if [ -z "$way_ours" ]; then
          trusted='' way_open=$way_last
        elif [ "$((way_mode & 022))" != 0 ]; then
          if [ "$((way_mode & 01000))" != 0 ]; then way_shared=1; else trusted='' way_open=$way_last; fi
        fi
      fi
    done
    if [ -z "$way_link" ]; then break; fi
    way_turns=$((way_turns + 1))
    follow_link
  done
  if [ -n "$way_shared" ]; then trusted=''; fi
  # who may not write there can change nothing
  if [ -z "$trusted" ] && [ "$uid" != 0 ] && [ ! -w "${physical%"$missing"}/" ]; then trusted=1; fi
  if [ -z "$missing" ]; then looked_up=$way_of; fi
}

# follow_link: puts where way_link leads into physical. Of links in a directory that others may write, only those of root are followed that stay in it:
# they lead nobody to where that one could not go already.
follow_link() {
  if [ -z "$way_ours" ]; then
    fail "${way_of%/} leads through the link $way_link of another user (uid $keeper), which is not followed; name where it leads, or put a directory there"
  fi
  if [ "$way_turns" -gt 40 ]; then fail "${way_of%/} leads through too many links"; fi
  way_to=$(readlink -n -- "$way_link" && printf x)
  way_to=${way_to%x} way_rest=${physical#"$way_link"}
  case $way_to in /*) ;; *) way_to=${way_link%/*}/$way_to ;; esac
  # what is before .. has no links any more
  way_rest=$way_to$way_rest/ physical=''
  while [ -n "$way_rest" ]; do
    way_part=${way_rest%%/*} way_rest=${way_rest#*/}
    case $way_part in
      '' | .) ;;
      ..) physical=${physical%/*} ;;
      *) physical=$physical/$way_part ;;
    esac
  done
  if [ -z "$trusted" ]; then
    case $physical in
      "$way_open"/*) ;;
      *) fail "${way_of%/} leads through the link $way_link out of $way_open, where others may turn it; name where it leads: $physical" ;;
    esac
  fi
}

# reach: opens the directory that look_up found; six is its name from now on
reach() {
  if [ -n "$missing" ]; then fail "there is no directory $physical"; fi
  if [ -n "${held-}" ]; then batch_flush; fi
  if [ ! -r /proc/self/stat ]; then fail "/proc is not mounted; without it, nothing can be changed safely in $physical, where others may write"; fi
  read -r way_pid way_line </proc/self/stat
  if [ -z "${batch_before-}" ]; then
    on_exit leave
  fi
  # a named pipe would be waited for
  exec 6<"$physical/."
  six=/proc/$way_pid/fd/6
  require_handle "$six" "$physical"
}

# require_handle HANDLE PATH: fails if the directory behind the handle does not stand there
require_handle() {
  if [ "$(readlink -n -- "$1" && printf x)" != "$2x" ]; then fail "somebody exchanges what stands at $2, or on the way there"; fi
}

# work_apart NAME: makes a directory in the one that was reached, in which nobody else can turn a name, where NAME will be made. seven is its name.
work_apart() {
  way_work=.pallet.${token:-$$}
  will_make "${physical%/}/$way_work"
  mkdir -m 0700 -- "$six/$way_work" || fail "cannot work in $physical"
  exec 7<"$six/$way_work/."
  seven=/proc/$way_pid/fd/7
  require_handle "$seven" "${physical%/}/$way_work"
  case $(stat -c %u:%a -- "$seven/.") in
    "$uid":700 | "$uid":2700) ;;
    *) fail "somebody exchanges what stands at $physical/$way_work" ;;
  esac
  way_beside=$seven/.old
  if [ "$1" = .old ]; then way_beside=$seven/old; fi
  new=$seven/$1 spare=$way_beside.new
}

# work_in DIRECTORY NAME: seven is a directory of ours in it, where NAME will be made; `leave` removes it
work_in() {
  look_up "$1"
  if [ -n "$missing" ]; then fail "there is no directory $1"; fi
  if [ -z "$trusted" ]; then
    reach
    work_apart "$2"
    return
  fi
  seven=${1%/}/.pallet.${token:-$$}
  on_exit leave
  will_make "$seven"
  mkdir -m 0700 -- "$seven" || fail "cannot write in $1"
}

# pin NAME: sets at to a name of what stands there under NAME that only root can turn, and that is no other file's
pin() {
  at=$six/$1
  if [ -d "$at" ] && [ ! -L "$at" ]; then return; fi
  if [ ! -e "$at" ] && [ ! -L "$at" ]; then
    at=$way_beside
    return
  fi
  # that of busybox knows no other way than -P
  if ! ln -P -- "$at" "$way_beside" 2>/dev/null && ! ln -- "$at" "$way_beside" 2>/dev/null; then
    # what is mounted there keeps its name
    if is_mount_point "$physical/$1"; then return; fi
    ln -- "$at" "$way_beside" || fail "cannot take hold of $physical/$1"
  fi
  at=$way_beside
  if [ -L "$at" ] || [ ! -f "$at" ]; then return; fi
  way_line=$(stat -c %h:%u -- "$at")
  # somebody may have made it of a file that is not theirs
  if [ "${way_line%:*}" -gt 2 ] && { [ "${way_line#*:}" = 0 ] || [ "${way_line#*:}" != "$keeper" ]; }; then
    fail "$physical/$1 is a hard link to a file of another user (uid ${way_line#*:}), and the directory is not theirs alone; delete it before"
  fi
}

# leave: what was reached is left, with nothing of ours in it
leave() {
  if [ -z "${six-}" ]; then
    if [ -n "${seven-}" ]; then rm -rf -- "$seven"; fi
  else
    if [ -n "${seven-}" ]; then rm -rf -- "$seven"/* "$seven"/.[!.]* "$seven"/..?* || :; fi
    if [ -n "${way_work-}" ]; then rmdir -- "$six/$way_work" 2>/dev/null || :; fi
  fi
  exec 6<&- 7<&-
  six='' seven='' way_work=''
  if [ -z "${batch_before-}" ]; then trap - EXIT HUP TERM INT; fi
}

# in_place FUNCTION PATH WORD...: calls FUNCTION PATH WORD..., which finds what stands at PATH under the name `at`, makes what shall stand there
# under the name `new`, with `spare` for a second one, and puts it there with `put PATH`
in_place() {
  # what waits has the handles
  if [ -n "${held-}" ] && [ -n "${six-}" ]; then batch_flush; fi
  look_up "${2%/*}"
  if [ -n "$trusted" ] || [ -n "$missing" ]; then
    at=$2 new=${2%/*}/.pallet.${token:-$$}
    spare=$new.new
    # nothing can be made where there is no directory, even if somebody makes one now
    if [ -n "$missing" ]; then at=$physical/.; fi
    "$@"
    return
  fi
  reach
  work_apart "${2##*/}"
  pin "${2##*/}"
  "$@"
  leave
}

# stand_in DIRECTORY: the shell works there from now on, and in no other that somebody puts under its name
stand_in() {
  looked_up=''
  look_up "$1"
  if [ -n "$missing" ]; then fail "there is no directory $physical"; fi
  cd -P -- "$physical"
  if [ "$(pwd -P)" != "$physical" ]; then fail "$physical was exchanged for something else at this moment; look who does that, and lift again"; fi
}

# make_checkout DIRECTORY: it is there; where somebody else could turn its name, it is theirs
make_checkout() {
  if [ -d "$1" ]; then return; fi
  look_up "${1%/*}"
  if [ -n "$trusted" ] || [ "$uid" != 0 ] || [ "$keeper" = 0 ]; then
    ensure_directory "$1" '' '' ''
  else
    ensure_directory "$1" "$keeper" "$(stat -c %g -- "${physical%"$missing"}/.")" ''
  fi
}

# require_place PATH: fails if there is no directory for it
require_place() {
  if [ -n "$missing" ]; then fail "there is no directory ${1%/*} for $1"; fi
}

# put PATH: what was made takes its place
put() {
  if [ -n "${six-}" ]; then
    way_name=$six/${1##*/}
    # never through a link of its name
    if way_line=$(mv -f -- "$new" "$six/" 2>&1); then return; fi
  else
    way_name=$1
    # it would be put into the directory that a link leads to
    if [ -L "$1" ] && [ -d "$1" ]; then rm -f -- "$1"; fi
    if way_line=$(mv -f -- "$new" "$1" 2>&1); then return; fi
  fi
  # so are /etc/hosts, /etc/hostname and /etc/resolv.conf in containers; nobody can turn the name of one
  if [ -L "$new" ] || [ ! -f "$new" ] || ! is_mount_point "${physical%/}/${1##*/}"; then fail "$way_line"; fi
  cat -- "$new" >"$way_name"
  if [ "$uid" = 0 ]; then chown -- "$owner${group:+:$group}" "$way_name"; fi
  chmod -- "$mode" "$way_name"
  sync -- "$way_name" 2>/dev/null || sync
  rm -f -- "$new"
}

# is_mount_point PATH [BELOW]: something is mounted just there, or below, if BELOW is not empty: at way_path
is_mount_point() {
  if [ ! -r /proc/self/mountinfo ]; then return 1; fi
  while read -r way_line way_line way_line way_line way_path way_rest; do
    case $way_path in
      *\\*)
        unescape "$way_path"
        way_path=$unescaped
        ;;
    esac
    case $way_path in
      "$1") return ;;
      "$1"/*) if [ -n "${2-}" ]; then return; fi ;;
    esac
  done </proc/self/mountinfo
  return 1
}

# require_no_mounts DIRECTORY: fails if anything is mounted there or below: what is in that would go too
require_no_mounts() {
  if is_mount_point "$1" below; then fail "$way_path is busy: something is mounted there; unmount it before $1 is removed"; fi
}

# read_from PATH: sets source to a name under which a file of the node can be read, whoever may write its directory
read_from() {
  look_up "${1%/*}"
  require_place "$1"
  source=$1
  # whoever made the archive that a link came from wants another file to be read
  if [ -L "$1" ]; then fail "$1 is a link; name the file itself"; fi
  # a pipe is never read
  if [ ! -f "$1" ]; then fail "there is no file $1"; fi
  if [ -n "$trusted" ]; then return; fi
  reach
  work_apart source
  pin "${1##*/}"
  if [ -L "$at" ] || [ ! -f "$at" ]; then fail "there is no file $1"; fi
  exec 5<"$at"
  source=/proc/$way_pid/fd/5
  leave
}

# remove_tree DIRECTORY: removes it with all that is in it, and nothing that links in it lead to
remove_tree() {
  if [ -L "$1" ] || [ ! -d "$1" ]; then
    rm -f -- "$1"
    return
  fi
  # that of busybox goes by names
  if rm --version >/dev/null 2>&1; then
    rm -rf -- "$1"
    return
  fi
  empty_tree "$1"
  rmdir -- "$1"
}

# empty_tree DIRECTORY: goes down by handles, and proves each
empty_tree() {
  (
    cd -P -- "$1"
    # the x keeps newlines at the end
    here=$(env pwd -P && printf x) here=${here%??}
    for name in ./* ./.[!.]* ./..?*; do
      if [ -L "$name" ] || [ ! -d "$name" ]; then
        rm -f -- "$name"
      else
        (
          cd -P -- "$name"
          if [ "$(env pwd -P && printf x)" != "$here/${name#./}${newline}x" ]; then fail "somebody exchanges what stands at $here/${name#./}"; fi
          empty_tree .
        )
        rmdir -- "$name"
      fi
    done
  )
}
