# What stands at paths.

# describe PATH...: kind, owner, group and mode; no path holds a newline
describe() {
  # as it comes: what a program says without end is kept nowhere
  printf "%s $token " "$token<" stats
  stat -c '%f:%u:%g:%s:%U:%G %n' -- "$@" 2>/dev/null
  printf " $token %s $token %s $token " "$token>" "$nl"
  # what vanishes meanwhile is told last, and that holds
  for path do
    if [ -L "$path" ]; then link "$path"; elif [ ! -e "$path" ]; then answer absent "$path"; fi
  done
}

# describe_odd PATH...: the same of paths that hold newlines
describe_odd() {
  for path do
    if [ -L "$path" ]; then
      link "$path"
    elif [ -e "$path" ]; then
      stat -c "$token< $token stat $token %f:%u:%g:%s:%U:%G $token %n $token $token> $token " -- "$path" 2>/dev/null
    else
      answer absent "$path"
    fi
  done
}

link() {
  # the x keeps newlines at the end of a target
  target=$(readlink -n -- "$1" 2>/dev/null && printf x) && answer link "$1" "${target%x}" || answer absent "$1"
}

# contents DIGEST PATH...: the digest and the content of each file that does not have the digest
contents() {
  if expected "$@" | sha256sum -c >/dev/null 2>&1; then
    answer as_expected
    return
  fi
  expected "$@" | LC_ALL=C sha256sum -c 2>/dev/null | grep -v ': OK$' | while IFS= read -r line; do
    content_of "${line%: FAILED*}"
  done
  answer checked
  written
  while [ $# -gt 1 ]; do
    # gone since it was described
    if [ ! -e "$2" ] && [ ! -L "$2" ]; then answer absent "$2"; fi
    shift 2
  done
}

# expected DIGEST PATH...: a list to check; a pipe or a device is never read
expected() {
  while [ $# -gt 1 ]; do
    if [ -f "$2" ]; then printf '%s  %s\n' "$1" "$2"; fi
    shift 2
  done
}

# contents_odd DIGEST PATH...: the same of paths that sha256sum would escape
contents_odd() {
  while [ $# -gt 1 ]; do
    digest "$2"
    if [ "${sum%% *}" != "$1" ]; then text "$2" || :; fi
    shift 2
  done
  written
}

# content_of PATH...: the content, which tells the digest too, or the digest alone where it cannot be shown
content_of() {
  for path do
    text "$path" || digest "$path"
  done
}

# digest PATH...
digest() {
  for path do
    sum=''
    if [ -f "$path" ]; then
      { sum=$(sha256sum <"$path"); } 2>/dev/null || :
    else
      describe_odd "$path"
    fi
    answer digest "$path" "${sum%% *}"
  done
}

# text PATH: succeeds if it answered
text() {
  if [ ! -f "$1" ] || [ -L "$1" ] || [ ! -r "$1" ]; then return 1; fi
  case $stats$nl in
    *" $1$nl"*)
      # its line has the size as its fourth field
      size=$stats$nl
      size=${size%%" $1$nl"*}
      size=${size##*"$nl"}
      size=${size#*:*:*:}
      size=${size%%:*}
      ;;
    *) { size=$(wc -c <"$1"); } 2>/dev/null || return ;;
  esac
  [ "$size" -le 65536 ] || return
  { content=$(base64 <"$1"); } 2>/dev/null && answer text "$1" "$content"
}

# written: the digests of what Pallet wrote
written() {
  if [ -r /var/lib/pallet/written ]; then answer written "$(cat /var/lib/pallet/written)"; fi
}

# secrets: which files hold secrets
secrets() {
  if [ -r /var/lib/pallet/secrets ]; then answer secrets "$(cat /var/lib/pallet/secrets)"; fi
}
