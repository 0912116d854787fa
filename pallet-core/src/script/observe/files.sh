# What stands at paths. A file can vanish while it is looked at: then the call for all fails, and each is asked for alone.

describe() {
  for path do
    shift
    if [ -L "$path" ]; then
      # the x keeps newlines at the end of a target
      target=$(readlink -n -- "$path" 2>/dev/null && printf x) && answer link "$path" "${target%x}" || answer absent "$path"
    elif [ -e "$path" ]; then
      set -- "$@" "$path"
    else
      answer absent "$path"
    fi
  done
  [ $# = 0 ] || stat_files "$@" || for path do
    stat_files "$path" || [ -e "$path" ] || answer absent "$path"
  done
}

stat_files() {
  stat -c "$token< $token stat $token %f:%s:%u:%g:%U:%G $token %n $token $token> $token " -- "$@" 2>/dev/null
}

sums=''
digest() {
  for path do
    shift
    if [ ! -f "$path" ] || [ -L "$path" ]; then continue; fi
    case $path in
      *"$nl"*) digest_alone "$path" ;;
      *) set -- "$@" "$path" ;;
    esac
  done
  [ $# -gt 0 ] || return 0
  if sums=$(sha256sum -- "$@" 2>/dev/null); then
    answer digests "$sums"
  else
    sums=''
    for path do digest_alone "$path"; done
  fi
}

digest_alone() {
  if sum=$({ sha256sum <"$1"; } 2>/dev/null); then
    answer digest "$1" "${sum%% *}"
  else
    describe "$1"
  fi
}

# text PATH DIGEST...: the content of each file that does not have the digest
text() {
  while [ $# -gt 1 ]; do
    case $nl$sums$nl in
      *"$nl$2  $1$nl"*) ;;
      *) text_of "$1" ;;
    esac
    shift 2
  done
}

text_of() {
  if [ ! -f "$1" ] || [ -L "$1" ] || [ ! -r "$1" ]; then return; fi
  size=$({ wc -c <"$1"; } 2>/dev/null) || return
  [ "$size" -le 65536 ] || return
  content=$({ base64 <"$1"; } 2>/dev/null) && answer text "$1" "$content"
}
