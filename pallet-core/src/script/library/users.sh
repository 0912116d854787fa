# ensure_user NAME [--uid N] [--group NAME] [--groups A,B] [--append] [--home PATH] [--create-home] [--shell PATH] [--comment TEXT] [--system]
ensure_user() {
  name=$1 append='' create='' system=''
  unset uid group groups home shell comment
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --uid) uid=$2 && shift ;;
      --group) group=$2 && shift ;;
      --groups) groups=$2 && shift ;;
      --home) home=$2 && shift ;;
      --shell) shell=$2 && shift ;;
      --comment) comment=$2 && shift ;;
      --append) append=yes ;;
      --create-home) create=yes ;;
      --system) system=yes ;;
    esac
    shift
  done
  if entry=$(entry_of passwd "$name"); then
    user_modify
  else
    user_add
    changed
  fi
}

# entry_of DATABASE NAME: prints its line; fails if there is none
entry_of() {
  if command -v getent >/dev/null 2>&1; then getent "$1" "$2"; else grep "^$2:" "/etc/$1"; fi
}

user_add() {
  # a group of the user's name that is there already is the user's
  if [ -z "${group+given}" ] && entry_of group "$name" >/dev/null; then group=$name; fi
  if command -v useradd >/dev/null 2>&1; then
    set -- ${system:+-r}
    if [ -n "$create" ]; then set -- "$@" -m; else set -- "$@" -M; fi
    [ -z "${uid+given}" ] || set -- "$@" -u "$uid"
    # where login.defs says otherwise, as on openSUSE, all users would share one group
    if [ -n "${group+given}" ]; then set -- "$@" -g "$group"; else set -- "$@" -U; fi
    [ -z "${groups-}" ] || set -- "$@" -G "$groups"
    [ -z "${home+given}" ] || set -- "$@" -d "$home"
    [ -z "${shell+given}" ] || set -- "$@" -s "$shell"
    [ -z "${comment+given}" ] || set -- "$@" -c "$comment"
    quietly useradd "$@" -- "$name"
  else
    # busybox
    if [ -n "$system" ] && [ -z "${group+given}" ]; then
      quietly addgroup -S "$name"
      group=$name
    fi
    set -- -D ${system:+-S}
    [ -n "$create" ] || set -- "$@" -H
    [ -z "${uid+given}" ] || set -- "$@" -u "$uid"
    [ -z "${group+given}" ] || set -- "$@" -G "$group"
    [ -z "${home+given}" ] || set -- "$@" -h "$home"
    [ -z "${shell+given}" ] || set -- "$@" -s "$shell"
    [ -z "${comment+given}" ] || set -- "$@" -g "$comment"
    quietly adduser "$@" -- "$name"
    for other in $(split "${groups-}"); do quietly addgroup "$name" "$other"; done
  fi
}

user_modify() {
  IFS=: read -r old old old_uid old old_comment old_home old_shell <<END
$entry
END
  old_group=$(id -gn -- "$name")
  old_groups=$(id -Gn -- "$name" | tr ' ' '\n' | grep -v -x -F -- "$old_group" | sort) || :
  set --
  if [ "${uid-$old_uid}" != "$old_uid" ]; then set -- "$@" -u "$uid"; fi
  if [ "${group-$old_group}" != "$old_group" ]; then set -- "$@" -g "$group"; fi
  if [ "${home-$old_home}" != "$old_home" ]; then set -- "$@" -d "$home"; fi
  if [ "${shell-$old_shell}" != "$old_shell" ]; then set -- "$@" -s "$shell"; fi
  if [ "${comment-$old_comment}" != "$old_comment" ]; then set -- "$@" -c "$comment"; fi
  wanted=$(split "${groups-}" | grep -v -x -F -- "${group-$old_group}" | sort -u) || :
  if [ -n "$append" ]; then wanted=$(printf '%s\n%s\n' "$wanted" "$old_groups" | grep . | sort -u) || :; fi
  if [ -n "${groups+given}" ] && [ "$wanted" != "$old_groups" ]; then
    if command -v usermod >/dev/null 2>&1; then
      set -- "$@" -G "$(printf '%s' "$wanted" | tr '\n' ,)"
    else
      for other in $old_groups; do
        printf '%s\n' "$wanted" | grep -q -x -F -- "$other" || quietly delgroup "$name" "$other"
      done
      for other in $wanted; do
        printf '%s\n' "$old_groups" | grep -q -x -F -- "$other" || quietly addgroup "$name" "$other"
      done
      changed
    fi
  fi
  if [ $# -gt 0 ]; then
    command -v usermod >/dev/null 2>&1 || fail "there is no usermod on this node to change the user $name with; install the package shadow before"
    quietly usermod "$@" -- "$name"
    changed
  fi
}

# split A,B: prints one a line
split() {
  [ -z "$1" ] || printf '%s\n' "$1" | tr , '\n'
}

# ensure_password NAME HASH: no program's arguments hold the hash
ensure_password() {
  escaped=$(printf %s "$1" | sed 's/\./\\./g')
  if [ "$(sed -n "s/^$escaped:\([^:]*\):.*/\1/p" /etc/shadow)" = "$2" ]; then return; fi
  printf '%s:%s\n' "$1" "$2" | chpasswd -e
  changed
}

# ensure_no_user NAME HOME FORCE: its home directory stays, unless HOME is not empty; its processes are ended if FORCE is not empty, and else an error
ensure_no_user() {
  entry=$(entry_of passwd "$1") || return 0
  number=${entry#*:*:} number=${number%%:*}
  processes_of "$number"
  if [ -n "$processes" ]; then
    [ -n "${3-}" ] || fail "the user $1 has running processes ($processes); stop them before, or give force = True to end them"
    end_processes "$1" "$number"
  fi
  if [ -n "${2-}" ]; then
    home=${entry%:*} home=${home##*:}
    if [ -L "$home" ]; then fail "the home directory $home of $1 is a link; remove it by hand, or omit remove_home"; fi
    if [ -d "$home" ]; then require_no_mounts "$home"; fi
  fi
  if command -v userdel >/dev/null 2>&1; then
    quietly userdel ${2:+-r} -- "$1"
  else
    quietly deluser ${2:+--remove-home} -- "$1"
  fi
  changed
}

# processes_of UID: sets processes to the numbers of those that run as this user
processes_of() {
  processes=''
  for process in /proc/[0-9]*/status; do
    { while read -r key real effective rest; do
      case $key in
        State:) case $real in Z | X) break ;; esac ;;
        Uid:)
          if [ "$real" = "$1" ] || [ "$effective" = "$1" ]; then
            process=${process#/proc/}
            processes="$processes${processes:+ }${process%/status}"
          fi
          break
          ;;
      esac
    done <"$process"; } 2>/dev/null || :
  done
}

# end_processes NAME UID: asks them to end, and ends them five seconds later
end_processes() {
  [ "$2" != 0 ] || fail "the processes of $1 are root's; they are not ended"
  ancestor=$$
  while [ "${ancestor:-0}" -gt 1 ]; do
    case " $processes " in *" $ancestor "*) fail "this very connection is one of $1; connect as another user to remove it" ;; esac
    ancestor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$ancestor/status")
  done
  # numbers have no blanks: these split on purpose
  kill -s TERM $processes 2>/dev/null || :
  waited=0
  while processes_of "$2" && [ -n "$processes" ]; do
    if [ "$waited" -ge 5 ]; then kill -s KILL $processes 2>/dev/null || :; fi
    [ "$waited" -lt 10 ] || fail "processes of $1 do not end: $processes"
    waited=$((waited + 1))
    sleep 1
  done
}

# ensure_locked NAME: no password lets the user in
ensure_locked() {
  case $(password_mark "$1") in
    !*) ;;
    *)
      if command -v usermod >/dev/null 2>&1; then quietly usermod -L -- "$1"; else quietly passwd -l -- "$1"; fi
      changed
      ;;
  esac
}

# ensure_unlocked NAME: where there never was a password, none lets the user in still
ensure_unlocked() {
  mark=$(password_mark "$1")
  [ -n "$mark" ] || return 0
  changed
  if [ "$mark" = '!only' ]; then
    quietly usermod -p '*' -- "$1"
    return
  fi
  while [ -n "$mark" ]; do
    shorter=$mark
    if command -v usermod >/dev/null 2>&1; then quietly usermod -U -- "$1"; else quietly passwd -u -- "$1"; fi
    mark=$(password_mark "$1")
    [ "${#mark}" -lt "${#shorter}" ] || fail "the password of $1 stays locked"
  done
}

# prints the exclamation marks that lock a password, and `only` if there is nothing else
password_mark() {
  entry_of passwd "$1" >/dev/null || fail "there is no user $1"
  sed -n "s/^$1:\(!*\):.*/\1only/p; s/^$1:\(!*\)[^:!].*/\1/p" /etc/shadow | sed -e 's/^!*only$/!only/' -e 's/^only$//'
}

# ensure_group NAME GID SYSTEM: an empty word leaves the number to the node; SYSTEM, if not empty, takes it from those of the system
ensure_group() {
  if entry=$(entry_of group "$1"); then
    gid=${entry#*:*:} gid=${gid%%:*}
    if [ -n "$2" ] && [ "$2" != "$gid" ]; then
      command -v groupmod >/dev/null 2>&1 || fail "there is no groupmod on this node to change the group $1 with; install the package shadow before"
      quietly groupmod -g "$2" -- "$1"
      changed
    fi
  else
    if command -v groupadd >/dev/null 2>&1; then
      quietly groupadd ${3:+-r} ${2:+-g "$2"} -- "$1"
    else
      quietly addgroup ${3:+-S} ${2:+-g "$2"} -- "$1"
    fi
    changed
  fi
}

ensure_no_group() {
  if entry_of group "$1" >/dev/null; then
    if command -v groupdel >/dev/null 2>&1; then quietly groupdel -- "$1"; else quietly delgroup -- "$1"; fi
    changed
  fi
}
